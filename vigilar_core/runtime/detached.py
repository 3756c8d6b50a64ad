"""Hooks that a plugin's own worker calls for it: committed events, motion, pictures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from vigilar_core.clock import Clock
from vigilar_core.config import Settings
from vigilar_core.context import ServiceContext
from vigilar_core.events import Event
from vigilar_core.frames import FrameReader
from vigilar_core.media import Frame
from vigilar_core.plugins.host import PluginHost
from vigilar_core.runtime import motion_events

#: How often the frame rings are looked at, seconds.
LOOK_EVERY_S = 0.1

EventHandler = Callable[[Event], None]

log = logging.getLogger(__name__)


class EventFeed:
    """Gives a plugin each committed event, in order, none left out, also over restarts.

    The ledger remembers how far the plugin's service has come; it is told after the plugin's
    functions returned or raised, so a crash in between gives the last events again.

    :param follow: calls back with each committed event from where the service stopped before
    """

    def __init__(
        self, plugin: str, host: PluginHost, clock: Clock, follow: Callable[[EventHandler], None]
    ) -> None:
        self._plugin = plugin
        self._host = host
        self._clock = clock
        self._hooks = set(host.hooks_of(plugin)) & {"on_event", "on_motion"}
        follow(self._give)

    def _give(self, event: Event) -> None:
        if "on_event" in self._hooks:
            self._call("on_event", event=event)
        if "on_motion" in self._hooks:
            motion = motion_events.motion_of(event, self._clock)
            if motion is not None:
                self._call("on_motion", motion=motion)

    def _call(self, hook: str, **values: object) -> None:
        try:
            self._host.call_one(self._plugin, hook, **values)
        except Exception:
            # The boundary to plugins: the event is not given again, the next one is.
            log.exception("%s of plugin %s failed", hook, self._plugin)


class FrameFeed:
    """Gives a plugin the newest picture of each camera; what it was too slow for is skipped."""

    def __init__(self, plugin: str, host: PluginHost, context: ServiceContext) -> None:
        self._plugin = plugin
        self._host = host
        self._context = context
        self._failures: dict[str, int] = {}
        self._readers = {
            camera: FrameReader(context.paths.frames_dir, camera, "gray8")
            for camera in _cameras(context.settings)
        }

    @property
    def skipped(self) -> dict[str, int]:
        """Pictures skipped so far by camera."""
        return {camera: reader.skipped for camera, reader in self._readers.items()}

    def turn(self) -> None:
        """Called once each turn of the service's loop."""
        for camera, reader in self._readers.items():
            frame = reader.latest()
            if frame is not None:
                self._look(camera, frame)

    def _look(self, camera: str, frame: Frame) -> None:
        try:
            for motion in self._host.call_one(self._plugin, "on_frame", frame=frame) or ():
                motion_events.publish(self._context.bus, motion)
            self._failures[camera] = 0
        except Exception:
            # The boundary to plugins: the next picture may be another story.
            failures = self._failures.get(camera, 0) + 1
            self._failures[camera] = failures
            if failures & (failures - 1) == 0:  # the 1st, 2nd, 4th, 8th …: tells, never floods
                log.exception(
                    "on_frame of plugin %s failed %d times in a row on camera %s",
                    self._plugin,
                    failures,
                    camera,
                )

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()


def _cameras(settings: Settings) -> Sequence[str]:
    return settings.items("cameras")
