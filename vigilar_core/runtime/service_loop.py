"""The loop of one service: start, run or poll, stop."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vigilar_core.bus import Bus
from vigilar_core.bus.broker import run_broker
from vigilar_core.bus.client import MqttBus
from vigilar_core.clock import Clock
from vigilar_core.config.core import Database
from vigilar_core.config.loaded import LoadedSettings
from vigilar_core.context import Service
from vigilar_core.errors import TransientError
from vigilar_core.events import EventCatalogue
from vigilar_core.paths import Paths
from vigilar_core.plugins.host import PluginHost
from vigilar_core.runtime.boot import BROKER, LEDGER, Boot
from vigilar_core.runtime.bus_access import broker_of, installation_secret
from vigilar_core.runtime.camera_host import Attach, CameraHost
from vigilar_core.runtime.context import WorkerContext
from vigilar_core.runtime.detached import LOOK_EVERY_S, EventFeed, FrameFeed
from vigilar_core.runtime.heartbeat import Beat
from vigilar_core.runtime.keys import storage_key
from vigilar_core.runtime.service_health import HealthCheck

#: Failed calls of ``poll`` in a row after which the service is restarted.
POLL_FAILURES = 10

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the services of one process share.

    :param stop: a descriptor, readable once they shall end
    :param report: tells the supervisor something
    """

    boot: Boot
    host: PluginHost
    settings: LoadedSettings
    catalogue: EventCatalogue
    paths: Paths
    clock: Clock
    stop: int
    report: Callable[[Mapping[str, Any]], None]


class ServiceLoop:
    """Runs one service in the thread that calls :meth:`run`.

    :param beats: path of the heartbeat file
    :param slot: of this loop
    """

    def __init__(self, around: Surroundings, service: Service, beats: Path, slot: int) -> None:
        self.service = service
        self._around = around
        self._host = around.host
        self._beat = Beat(beats, slot)
        self._frames: FrameFeed | None = None

    def run(self) -> None:
        """Run until the service is asked to end.

        :raises TransientError: it ended by itself, or ``poll`` keeps failing
        :raises Exception: whatever its hooks raised
        """
        bus = self._open_bus()
        context = self._context(bus)
        try:
            bus.start()
            if self.service.name == BROKER:
                run_broker(context)
            elif self.service.name == LEDGER:
                self._run_ledger(context)
            else:
                self._run_plugin(context, bus)
            if not context.stopping:
                raise TransientError("it ended although nobody asked it to")
        finally:
            if self._frames is not None:
                self._frames.close()
            bus.close()

    # --------------------------------------------------------------- the three kinds

    def _run_plugin(self, context: WorkerContext, bus: MqttBus) -> None:
        hooks = self._host.hooks_of(self.service.plugin)
        if "service_start" in hooks:
            self._call("service_start", context=context)
        self._watch_health(context)
        try:
            self._attach_feeds(context, bus, hooks)
            if "service_run" in hooks:
                self._call("service_run", context=context)
            else:
                self._poll(context, "poll" in hooks)
        finally:
            if context.stopping and "service_stop" in hooks:
                self._stop(context)

    def _run_ledger(self, context: WorkerContext) -> None:
        from vigilar_core.ledger.service import run_ledger

        distributions = self._around.boot.distributions
        parts = [
            (distributions[answer.plugin], answer.value)
            for answer in self._host.call("register_tables")
            if answer.value is not None
        ]
        run_ledger(context, parts, url=self._around.settings.section(Database).url.reveal())

    def _poll(self, context: WorkerContext, has_poll: bool) -> None:
        """Call ``poll`` when it is due; a late call is not made up for."""
        failures, due_s = 0, context.clock.monotonic_s()
        longest_s = self.service.poll_interval_s if self._frames is None else LOOK_EVERY_S
        while True:
            now_s = context.clock.monotonic_s()
            if not context.wait(min(max(due_s - now_s, 0.0), longest_s)):
                return
            if context.clock.monotonic_s() < due_s:
                continue
            if has_poll:
                failures = 0 if self._poll_once(context) else failures + 1
                if failures >= POLL_FAILURES:
                    raise TransientError(f"poll failed {failures} times in a row")
            due_s = context.clock.monotonic_s() + self.service.poll_interval_s

    def _poll_once(self, context: WorkerContext) -> bool:
        try:
            self._call("poll", context=context)
        except Exception:
            # The boundary to plugins: one failed call says little, ten in a row say enough.
            log.exception("poll of plugin %s failed", self.service.plugin)
            return False
        return True

    def _stop(self, context: WorkerContext) -> None:
        try:
            self._call("service_stop", context=context)
        except Exception:
            # The boundary to plugins: the service ends anyway.
            log.exception("service_stop of plugin %s failed", self.service.plugin)

    def _call(self, hook: str, **arguments: object) -> None:
        self._host.call_one(self.service.plugin, hook, **arguments)

    # ------------------------------------------------------------------ surroundings

    def _open_bus(self) -> MqttBus:
        around = self._around
        return MqttBus(
            broker_of(around.settings, around.paths),
            self.service.name,
            installation_secret(around.paths),
            around.catalogue,
            around.paths.spool_dir,
            around.clock,
        )

    def _context(self, bus: MqttBus) -> WorkerContext:
        around = self._around
        return WorkerContext(
            service=self.service,
            settings=around.settings,
            bus=bus,
            clock=around.clock,
            catalogue=around.catalogue,
            paths=around.paths,
            stop=around.stop,
            beat=self._beat,
            key=self._storage_key,
            cameras=self._camera,
            hosted=self._hosted,
        )

    def _hosted(self, hook: str) -> dict[str, Callable[..., Any]]:
        own = self.service.plugin
        return {
            name: functools.partial(self._host.call_one, name, hook)
            for name in self._host.implementers(hook)
            if name != own
        }

    def _attach_feeds(self, context: WorkerContext, bus: MqttBus, hooks: Sequence[str]) -> None:
        """Give the plugin its events and pictures, in the worker named after it."""
        plugin = self.service.plugin
        if self.service.name != plugin:
            return
        if {"on_event", "on_motion"} & set(hooks):
            EventFeed(plugin, self._host, context.clock, bus.follow_events)
        if "on_frame" in hooks:
            self._frames = FrameFeed(plugin, self._host, context)
            context.chores.append(self._frames.turn)

    def _watch_health(self, context: WorkerContext) -> None:
        inline = self._around.boot.inline_plugins() if self.service.inline else ()
        plugins = dict.fromkeys((self.service.plugin, *inline))
        name = self.service.name

        def report(data: Mapping[str, Any]) -> None:
            self._around.report({"health": data, "service": name})

        check = HealthCheck(context, self._host, list(plugins), report)
        context.chores.append(check.turn)

    def _camera(self, camera_id: str, bus: Bus) -> CameraHost:
        around = self._around
        host = CameraHost(
            camera_id,
            settings=around.settings,
            bus=bus,
            clock=around.clock,
            paths=around.paths,
            key=self._storage_key,
            analysers_elsewhere=bool(around.boot.plugins_with("on_frame")),
        )
        host.attach(self._inline(plugin) for plugin in around.boot.inline_plugins())
        return host

    def _inline(self, plugin: str) -> Attach:
        return plugin, lambda camera: self._host.call_one(plugin, "camera_attach", camera=camera)

    def _storage_key(self) -> bytes:
        return storage_key(self._around.settings)
