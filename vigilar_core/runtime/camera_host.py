"""A camera inside its worker: the source hands over, inline plugins get their turn."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from vigilar_core.bus import Bus, topics
from vigilar_core.clock import Clock
from vigilar_core.config import Settings, SettingsModel
from vigilar_core.config.core import Camera
from vigilar_core.config.secret import redact_url
from vigilar_core.frames import FrameWriter
from vigilar_core.frames.frame_ring import FrameKind
from vigilar_core.media import Frame, Motion, Packet, Stream
from vigilar_core.paths import Paths
from vigilar_core.runtime import motion_events
from vigilar_core.runtime.inline import InlineCalls

#: How often a camera says that it is there.
HEARTBEAT_EVERY_S = 10.0
#: How long to wait before the next attempt when the runtime folder is full.
RING_PAUSE_S = 30.0

Model = TypeVar("Model", bound=SettingsModel)
#: Asks a plugin for its object: name of the plugin, and the call of its ``camera_attach``.
Attach = tuple[str, Callable[["AttachedCamera"], object | None]]

log = logging.getLogger(__name__)


class AttachedCamera:
    """What one inline plugin knows of the camera; implements ``CameraContext``."""

    def __init__(self, host: CameraHost, settings: Settings, key: Callable[[], bytes]) -> None:
        self.id = host.id
        self.bus = host.bus
        self.clock = host.clock
        self.paths = host.paths
        self.display_name = settings.item("cameras", host.id, Camera).title
        self.wants_low_latency = False
        self.wants_colour = False
        self.wants_fps: float | None = None
        self._host = host
        self._settings = settings
        self._key = key

    def settings(self, model: type[Model]) -> Model:
        return self._settings.item("cameras", self.id, model)

    def section(self, model: type[Model]) -> Model:
        return self._settings.section(model)

    def storage_key(self) -> bytes:
        return self._key()

    @property
    def streams(self) -> Sequence[Stream]:
        return self._host.streams

    def ask_low_latency(self, wanted: bool) -> None:
        self.wants_low_latency = wanted
        self._host.count_wishes()

    def ask_analysis_fps(self, fps: float | None) -> None:
        self.wants_fps = fps
        self._host.count_wishes()

    def ask_colour(self, wanted: bool) -> None:
        self.wants_colour = wanted
        self._host.count_wishes()


class CameraHost:
    """Implements :class:`vigilar_core.context.CameraHost`.

    :param settings: the checked configuration
    :param key: gives the storage key or raises ``NotReadyError``
    :param analysers_elsewhere: whether another process reads luma pictures of this camera
    """

    def __init__(
        self,
        camera_id: str,
        *,
        settings: Settings,
        bus: Bus,
        clock: Clock,
        paths: Paths,
        key: Callable[[], bytes],
        analysers_elsewhere: bool = False,
    ) -> None:
        self.id = camera_id
        self.bus = bus
        self.clock = clock
        self.paths = paths
        self.streams: Sequence[Stream] = ()
        self.analysis_fps: float | None = None
        self.low_latency = False
        self.colour = False
        self._settings = settings
        self._key = key
        self._luma = analysers_elsewhere
        self._calls = InlineCalls(camera_id, clock, self._plugin_detached)
        self._contexts: dict[str, AttachedCamera] = {}
        self._rings: dict[FrameKind, FrameWriter] = {}
        self._packets = self._frames = 0
        self._online = False
        self._next_heartbeat_s = 0.0
        self._next_ring_s = 0.0

    def attach(self, plugins: Iterable[Attach]) -> None:
        """Ask each inline plugin for its object; one that fails is left out, and said so."""
        for plugin, attach in plugins:
            context = AttachedCamera(self, self._settings, self._key)
            self._contexts[plugin] = context
            try:
                target = attach(context)
            except Exception as error:
                # The boundary to plugins: the camera goes on without this one.
                log.exception("camera %s: plugin %s could not attach", self.id, plugin)
                self._plugin_detached(plugin, f"camera_attach failed: {error!r}")
                continue
            if target is not None:
                self._calls.attach(plugin, target)

    # ------------------------------------------------------------ called by the source

    def connected(self, streams: Sequence[Stream]) -> None:
        self.streams = tuple(streams)
        self._online = True
        self._calls.call("on_connected", self.streams)

    def packet(self, packet: Packet) -> None:
        self._packets += 1
        for each in self._calls.of("on_packet"):
            try:
                each.method(packet)
                each.failures = 0
            except Exception as error:  # noqa: BLE001  # the boundary to plugins
                self._calls.failed(each, error)

    def frame(self, frame: Frame) -> None:
        self._frames += 1
        for each in self._calls.of("on_frame"):
            try:
                for motion in each.method(frame) or ():
                    self._motion(motion)
                each.failures = 0
            except Exception as error:  # noqa: BLE001  # the boundary to plugins
                self._calls.failed(each, error)
        if self._luma:
            self._share("gray8", frame)

    def colour_frame(self, frame: Frame) -> None:
        if self.colour:
            self._share("bgr24", frame)

    def disconnected(self, reason: str) -> None:
        self._online = False
        self._calls.call("on_disconnected", reason)

    def tick(self) -> None:
        self._calls.call("on_tick")
        now_s = self.clock.monotonic_s()
        if now_s >= self._next_heartbeat_s:
            self._next_heartbeat_s = now_s + HEARTBEAT_EVERY_S
            self.bus.publish_state(topics.heartbeat(self.id), self._heartbeat())

    def close(self) -> None:
        self._calls.call("on_close")
        for ring in self._rings.values():
            ring.close()
        self._rings.clear()

    # ------------------------------------------------------------------- called inside

    def count_wishes(self) -> None:
        """Join what the plugins ask for."""
        wishes = self._contexts.values()
        rates = [each.wants_fps for each in wishes if each.wants_fps is not None]
        self.analysis_fps = max(rates, default=None)
        self.low_latency = any(each.wants_low_latency for each in wishes)
        self.colour = any(each.wants_colour for each in wishes)
        if not self.colour and (ring := self._rings.pop("bgr24", None)) is not None:
            ring.close()

    def _motion(self, motion: Motion) -> None:
        self._calls.call("on_motion", motion)
        motion_events.publish(self.bus, motion)

    def _share(self, kind: FrameKind, frame: Frame) -> None:
        """Put a picture into its ring; without room for one, viewers wait, the camera does not."""
        now_s = self.clock.monotonic_s()
        if now_s < self._next_ring_s:
            return
        try:
            if kind not in self._rings:
                self._rings[kind] = FrameWriter(self.paths.frames_dir, self.id, kind)
            self._rings[kind].write(frame)
        except OSError as error:
            self._next_ring_s = now_s + RING_PAUSE_S
            log.error("camera %s: no room for pictures: %s", self.id, error)

    def _heartbeat(self) -> dict[str, Any]:
        return {
            "online": self._online,
            "packets": self._packets,
            "frames": self._frames,
            "failures": self._calls.failures(),
            "streams": [
                {"kind": each.kind, "codec": each.codec, "width": each.width, "height": each.height}
                for each in self.streams
            ],
        }

    def _plugin_detached(self, plugin: str, reason: str) -> None:
        self._contexts.pop(plugin, None)
        self.count_wishes()
        topic = topics.camera(self.id, "plugin", plugin, "detached")
        self.bus.publish_event(topic, reason=redact_url(reason))
