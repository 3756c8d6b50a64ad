"""A worker: a forked process that runs one service, or a group of them side by side."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import structlog

from vigilar_core.clock import SystemClock
from vigilar_core.config import ConfigSection
from vigilar_core.config.core import SECTIONS, System
from vigilar_core.config.loaded import LoadedSettings, build_settings
from vigilar_core.config.secret import redact_url
from vigilar_core.errors import ConfigurationError, ExitCode, PluginBrokenError, VigilarError
from vigilar_core.events import EventCatalogue
from vigilar_core.plugins.discovery import GROUP
from vigilar_core.plugins.host import PluginHost
from vigilar_core.runtime import logs
from vigilar_core.runtime.boot import Boot
from vigilar_core.runtime.process import forbid_core_dumps, ignore_polite_signals
from vigilar_core.runtime.service_loop import ServiceLoop, Surroundings

#: Longest reason that is handed to the supervisor, characters.
_LONGEST_REASON = 500

log = logging.getLogger(__name__)


def main(data: Mapping[str, Any], control: socket.socket, output: int) -> int:
    """Run a worker until it is asked to end; called in the forked process.

    :param data: the boot message, see :class:`~vigilar_core.runtime.boot.Boot`
    :param control: at its end when the worker shall end; takes reports to the supervisor
    :param output: where standard output and error go, line by line into the log
    :returns: the exit code
    """
    boot = Boot.from_json(data)
    ignore_polite_signals()
    forbid_core_dumps()
    _redirect(output, boot)
    control.setblocking(False)
    worker = _Worker(boot, control)
    try:
        worker.run()
    except (Exception, SystemExit) as error:  # noqa: BLE001  # the boundary of the process
        worker.failed(error)
    return worker.exit_code


def _redirect(output: int, boot: Boot) -> None:
    """Records go straight to the log; whatever libraries print goes through the supervisor."""
    records = open(os.dup(2), "w", buffering=1)  # noqa: PTH123, SIM115  # lives with the process
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.close(output)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    logs.configure(boot.log_level, service=boot.worker, stream=records)
    faulthandler.enable(file=2, all_threads=True)


class _Worker:
    def __init__(self, boot: Boot, control: socket.socket) -> None:
        self._boot = boot
        self._control = control
        self._lock = threading.Lock()
        self.exit_code = int(ExitCode.OK)

    def run(self) -> None:
        loops = self._prepare()
        if len(loops) == 1:
            loops[0].run()
            return
        threads = [
            threading.Thread(target=self._run_in_group, args=(loop,), name=loop.service.name)
            for loop in loops
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _prepare(self) -> list[ServiceLoop]:
        boot = self._boot
        host = _load_plugins(boot)
        settings = _settings(boot, host)
        surroundings = Surroundings(
            boot=boot,
            host=host,
            settings=settings,
            catalogue=EventCatalogue.of(boot.kinds),
            paths=settings.section(System).paths(),
            clock=SystemClock(),
            stop=self._control.fileno(),
            report=self._report,
        )
        beats = Path(boot.beats)
        return [
            ServiceLoop(surroundings, service, beats, slot)
            for service, slot in zip(boot.services, boot.slots, strict=True)
        ]

    def _run_in_group(self, loop: ServiceLoop) -> None:
        structlog.contextvars.bind_contextvars(service=loop.service.name)
        try:
            loop.run()
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the boundary of the thread
            self.failed(error, loop.service.name)
        # One service that ends takes the others of the group along, in an orderly way.
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RD)

    def failed(self, error: BaseException, service: str = "") -> None:
        """Log why, tell the supervisor, choose the exit code; the first failure counts."""
        with self._lock:
            if self.exit_code != ExitCode.OK:
                return
            self.exit_code = int(error.exit_code) if isinstance(error, VigilarError) else 1
        reason = f"{type(error).__name__}: {error}"
        if isinstance(error, VigilarError):
            reason = str(error)
            log.error("ends: %s", reason)
        else:
            log.error("ends by an error", exc_info=error)
        if isinstance(error, ConfigurationError):
            reason = "; ".join(str(problem) for problem in error.problems)
        prefix = f"{service}: " if service else ""
        self._report({"failed": redact_url(prefix + reason)[:_LONGEST_REASON]})

    def _report(self, report: Mapping[str, Any]) -> None:
        try:
            self._control.send(json.dumps(report, default=str).encode())
        except OSError:
            pass  # the supervisor is busy or gone; the next report tells it anew


def _load_plugins(boot: Boot) -> PluginHost:
    def failed(plugin: str, hook: str, error: BaseException) -> None:
        log.error("%s of plugin %s failed", hook, plugin, exc_info=error)

    trace = logging.getLogger("vigilar.hooks").info if boot.trace_hooks else None
    host = PluginHost(on_failure=failed, trace=trace)
    for plugin in boot.own_plugins():
        host.register(plugin, _import(plugin, boot.targets[plugin]))
    for guest in boot.guests():
        try:
            host.register(guest, _import(guest, boot.targets[guest]))
        except PluginBrokenError as error:
            # Its probe passed a moment ago; the services here go on without it.
            failed(guest, "import", error)
    return host


def _import(plugin: str, target: str) -> object:
    try:
        return EntryPoint(plugin, target, GROUP).load()
    except (Exception, SystemExit) as error:  # a plugin's module may raise anything
        raise PluginBrokenError(plugin, f"cannot be imported: {error!r}") from error


def _settings(boot: Boot, host: PluginHost) -> LoadedSettings:
    sections: list[ConfigSection] = []
    for plugin in host.implementers("register_config"):
        sections += host.call_one(plugin, "register_config")
    known = {(each.path, each.model) for each in SECTIONS}
    own = [each for each in sections if (each.path, each.model) not in known]
    return build_settings(boot.configuration, own)
