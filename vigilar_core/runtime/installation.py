"""Bringing up an installation: configuration, folders, lock, supervisor."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from vigilar_core import __version__
from vigilar_core.bus.client import MqttBus
from vigilar_core.clock import SystemClock
from vigilar_core.config.core import PluginChoice, System
from vigilar_core.config.load import read_config
from vigilar_core.errors import ConfigurationError, ExitCode, Problem
from vigilar_core.events import EventCatalogue
from vigilar_core.paths import Paths
from vigilar_core.plugins.discovery import GROUP
from vigilar_core.plugins.plan import Plan, plan_file
from vigilar_core.plugins.report import PluginReport, PluginState
from vigilar_core.runtime import logs
from vigilar_core.runtime.bus_access import broker_of, installation_secret
from vigilar_core.runtime.herald import SERVICE, BusHerald
from vigilar_core.runtime.lock import InstanceLock
from vigilar_core.runtime.notify import ServiceManager
from vigilar_core.runtime.process import forbid_core_dumps
from vigilar_core.runtime.supervisor import Supervisor
from vigilar_core.runtime.workers import Choice, WorkerPlan, plan_workers

log = logging.getLogger(__name__)


@dataclass
class Installation:
    """One configuration file and what the command line asks for.

    :param path: of the file
    :param third_party: ``False`` leaves out plugins that are not part of Vigilar itself
    """

    path: Path
    choice: Choice
    third_party: bool = True

    def run(self) -> ExitCode:
        """Run everything until asked to end.

        :raises ConfigurationError: carries every problem of the configuration
        :raises AlreadyRunningError: the data folder has another supervisor
        """
        plan, workers = self._plan()
        system = plan.settings.section(System)
        logs.configure(self.choice.log_level or system.log_level, service=SERVICE)
        paths = system.paths()
        make_folders(paths)
        lock = InstanceLock(paths.data_dir)
        forbid_core_dumps()
        # Rings of cameras that are gone would fill the memory that the folder lives in.
        shutil.rmtree(paths.frames_dir, ignore_errors=True)
        try:
            self._introduce(plan, workers)
            return self._supervise(plan, workers, paths)
        finally:
            lock.release()

    def _supervise(self, plan: Plan, workers: Sequence[WorkerPlan], paths: Paths) -> ExitCode:
        clock = SystemClock()
        bus = MqttBus(
            broker_of(plan.settings, paths),
            SERVICE,
            installation_secret(paths),
            EventCatalogue.of(plan.event_kinds),
            paths.spool_dir,
            clock,
        )
        self._reports = [_summary(report) for report in plan.reports]
        supervisor = Supervisor(
            workers,
            self._replan,
            runtime_dir=paths.runtime_dir,
            clock=clock,
            herald=BusHerald(bus),
            manager=ServiceManager(),
            plugins=lambda: self._reports,
        )
        self._tell_broken(plan, bus)
        return supervisor.run()

    def _replan(self) -> Sequence[WorkerPlan]:
        plan, workers = self._plan()
        self._reports = [_summary(report) for report in plan.reports]
        return workers

    def _plan(self) -> tuple[Plan, Sequence[WorkerPlan]]:
        file = read_config(self.path)
        plan = plan_file(file, third_party=self.third_party).require()
        for warning in plan.warnings:
            log.warning("%s", warning)
        broker = broker_of(plan.settings, plan.settings.section(System).paths()).is_private
        trace = self.choice.trace_hooks or plan.settings.section(PluginChoice).trace_hooks
        choice = Choice(self.choice.only, self.choice.log_level, trace)
        targets = {point.name: point.value for point in entry_points(group=GROUP)}
        workers = plan_workers(plan, file.tables, choice, broker=broker, targets=targets)
        return plan, workers

    def _introduce(self, plan: Plan, workers: Sequence[WorkerPlan]) -> None:
        broken = [each.name for each in plan.reports if each.state is PluginState.BROKEN]
        log.info(
            "Vigilar %s starts with %s: %d services in %d workers, %d plugins%s",
            __version__,
            self.path,
            sum(len(worker.boot.services) for worker in workers),
            len(workers),
            sum(each.usable for each in plan.reports),
            f", broken: {', '.join(broken)}" if broken else "",
        )

    def _tell_broken(self, plan: Plan, bus: MqttBus) -> None:
        for report in plan.reports:
            if report.state is PluginState.BROKEN:
                bus.publish_event(f"vigilar/plugin/{report.name}/broken", reason=report.reason)


def make_folders(paths: Paths) -> None:
    """Make what is missing, closed to others.

    :raises ConfigurationError: one cannot be made or written
    """
    problems = []
    for key in ("data_dir", "recordings_dir", "hls_dir", "runtime_dir"):
        folder: Path = getattr(paths, key)
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            problems.append(_folder_problem(key, f"{folder} cannot be made: {error.strerror}"))
            continue
        if not os.access(folder, os.W_OK | os.X_OK):
            problems.append(_folder_problem(key, f"{folder} cannot be written"))
    if problems:
        raise ConfigurationError(problems)


def _folder_problem(key: str, message: str) -> Problem:
    return Problem(f"system.{key}", message, "let the service's user own it, or name another")


def _summary(report: PluginReport) -> Mapping[str, Any]:
    return {
        "plugin": report.name,
        "version": report.version,
        "state": PluginState.RUNNING.value if report.usable else report.state.value,
        "reason": report.reason,
    }
