"""The supervisor: one loop that starts workers, watches their hearts and ends them in order.

It runs no plugin's code and needs no broker. Everything it waits for is a descriptor:
signals, the fork server, the workers' reports and output, the status socket, an errand.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from vigilar_core.clock import Clock
from vigilar_core.errors import ConfigurationError, ExitCode
from vigilar_core.runtime.clock_watch import ClockWatch
from vigilar_core.runtime.crew import Crew
from vigilar_core.runtime.errand import Errand
from vigilar_core.runtime.heartbeat import Heartbeats
from vigilar_core.runtime.notify import ServiceManager
from vigilar_core.runtime.processes import Processes
from vigilar_core.runtime.signals import SignalQueue
from vigilar_core.runtime.states import Happening, Phase
from vigilar_core.runtime.status import StatusServer, socket_path
from vigilar_core.runtime.workers import Stage, WorkerPlan

#: When each stage of an orderly end is over at the latest, seconds after its begin.
STAGE_ENDS_S: Mapping[Stage, float] = {
    Stage.CAMERAS: 5.0,
    Stage.REST: 7.0,
    Stage.LEDGER: 8.5,
    Stage.BROKER: 9.5,
}
#: A process that outlives SIGKILL this long is stuck in the kernel: the watchdog goes hungry.
STUCK_AFTER_S = 30.0
#: A turn that took longer means that this process itself was stopped: hearts get time to beat.
PAUSE_S = 5.0

log = logging.getLogger(__name__)


class Herald(Protocol):
    """Takes the supervisor's own events to the ledger, never blocks."""

    def fileno(self) -> int:
        """Readable when :meth:`turn` has something to do."""

    def tell(self, topic: str, **fields: Any) -> None:
        """Publish an event."""

    def turn(self) -> None:
        """Called once each turn of the loop."""

    def close(self) -> None:
        """No more events."""


class Supervisor:
    """Keeps the workers of one installation running.

    :param plans: the processes to run
    :param replan: reads the configuration again; raises ``ConfigurationError`` if it is bad
    :param runtime_dir: sockets and heartbeats
    """

    def __init__(
        self,
        plans: Sequence[WorkerPlan],
        replan: Callable[[], Sequence[WorkerPlan]],
        *,
        runtime_dir: Path,
        clock: Clock,
        herald: Herald,
        manager: ServiceManager,
        plugins: Callable[[], Sequence[Mapping[str, Any]]] = tuple,
    ) -> None:
        self._clock = clock
        self._herald = herald
        self._manager = manager
        self._replan = replan
        self._plugins = plugins
        beats_path = runtime_dir / "heartbeats"
        self._beats = Heartbeats(beats_path)
        self._crew = Crew(clock, self._beats, beats_path, self._announce)
        for plan in plans:
            self._crew.take_in(plan)
        self._selector = selectors.DefaultSelector()
        self._processes = Processes(self._crew, self._selector)
        self._status = StatusServer(socket_path(runtime_dir), self.snapshot, clock.monotonic_s)
        self._clock_watch = ClockWatch(clock)
        self._errand: Errand[Sequence[WorkerPlan]] | None = None
        self._reload_again = False
        self._stopping_since_s: float | None = None
        self._since_us = clock.time_us()
        self._turn_s = clock.monotonic_s()
        self._quiet_until_s = 0.0
        self._next_watchdog_s = 0.0
        self._said_ready = False

    # ---------------------------------------------------------------------- the loop

    def run(self) -> ExitCode:
        """Run until asked to end by SIGTERM or SIGINT; SIGHUP reads the configuration again."""
        caught = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        with SignalQueue(caught) as queue:
            self._register(queue, lambda: self._take_signals(queue))
            self._register(self._status, self._status.serve)
            self._register(self._herald, self._herald.turn)
            try:
                while not self._over():
                    self._turn()
            finally:
                self._close()
        return ExitCode.OK

    def _turn(self) -> None:
        timeout_s = self._next_moment_s() - self._clock.monotonic_s()
        for key, _ in self._selector.select(max(0.0, timeout_s)):
            key.data()
        self._notice_own_pause()
        if self._clock.monotonic_s() >= self._quiet_until_s:
            self._crew.watch()
        self._processes.watch()
        if self._stopping_since_s is None:
            self._processes.start_due()
        else:
            self._go_on_stopping(self._stopping_since_s)
        self._status.serve()
        self._watch_clock()
        self._herald.turn()
        self._tell_manager()

    def _register(self, source: Any, action: Callable[[], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, action)

    def _next_moment_s(self) -> float:
        moment_s = self._crew.next_moment_s()
        if self._clock.monotonic_s() < self._quiet_until_s:
            moment_s = max(moment_s, self._clock.monotonic_s() + 0.5)
        return (
            moment_s if self._manager.watchdog_s is None else min(moment_s, self._next_watchdog_s)
        )

    def _over(self) -> bool:
        return self._stopping_since_s is not None and not any(
            worker.state.has_process for worker in self._crew.workers.values()
        )

    def _notice_own_pause(self) -> None:
        """A machine that slept or a stopped process must not count against the workers."""
        now_s = self._clock.monotonic_s()
        if now_s - self._turn_s >= PAUSE_S:
            log.warning("the supervisor itself stood still for %.1f s", now_s - self._turn_s)
            self._quiet_until_s = now_s + PAUSE_S
        self._turn_s = now_s

    # ------------------------------------------------------------------- signals, end

    def _take_signals(self, queue: SignalQueue) -> None:
        for number in queue.take():
            if number is signal.SIGHUP:
                self._reload()
            elif self._stopping_since_s is None:
                log.info("stopping: %s", number.name)
                self._stopping_since_s = self._clock.monotonic_s()
                self._crew.stand_down()
                self._manager.stopping("sealing recordings")

    def _go_on_stopping(self, since_s: float) -> None:
        """The earliest stage that still has a process is asked to end; later ones go on."""
        passed_s = self._clock.monotonic_s() - since_s
        for stage in Stage:
            members = [each for each in self._crew.workers.values() if each.plan.stage is stage]
            for worker in members:
                if worker.state.has_process:
                    self._crew.ask_to_stop(worker, max(0.0, STAGE_ENDS_S[stage] - passed_s))
            if any(each.state.has_process for each in members):
                return

    def _close(self) -> None:
        self._herald.close()
        self._status.close()
        self._processes.close()
        self._selector.close()
        self._beats.close()

    # ------------------------------------------------------------------------- reload

    def _reload(self) -> None:
        if self._stopping_since_s is not None:
            return
        if self._errand is not None:
            self._reload_again = True
            return
        self._manager.reloading()
        self._errand = Errand(self._replan)
        self._register(self._errand, self._reloaded)

    def _reloaded(self) -> None:
        assert self._errand is not None
        errand, self._errand = self._errand, None
        self._selector.unregister(errand)
        try:
            plans = errand.take()
        except ConfigurationError as error:
            self._refused("; ".join(str(problem) for problem in error.problems))
        except Exception as error:
            # Whatever went wrong while reading, the running system is worth more.
            log.exception("the configuration could not be read")
            self._refused(repr(error))
        else:
            touched = self._crew.rearrange(plans)
            log.info("configuration read again; restarted: %s", ", ".join(touched) or "nothing")
            self._herald.tell(
                "vigilar/system/configuration/reloaded",
                restarted=", ".join(touched) or "nothing",
            )
        self._said_ready = False
        if self._reload_again:
            self._reload_again = False
            self._reload()

    def _refused(self, reason: str) -> None:
        log.error("the changed configuration is refused, the former one stays: %s", reason)
        self._herald.tell("vigilar/system/configuration/refused", reason=reason)

    # ------------------------------------------------------------------------ telling

    def _announce(self, plan: WorkerPlan, happening: Happening, reason: str) -> None:
        level = logging.INFO if happening in _GOOD else logging.WARNING
        log.log(level, "%s: %s", plan.name, _WORDS[happening] + (f": {reason}" if reason else ""))
        for service in plan.boot.services:
            topic = f"vigilar/service/{service.name.replace(':', '.')}/{happening.topic_level}"
            self._herald.tell(topic, name=service.name, reason=reason)

    def _watch_clock(self) -> None:
        jump_s = self._clock_watch.jump_s()
        if jump_s is not None:
            log.warning("the wall clock was set by %+.1f s", jump_s)
            self._herald.tell("vigilar/system/clock/jumped", seconds=round(jump_s, 1))

    def _tell_manager(self) -> None:
        now_s = self._clock.monotonic_s()
        if not self._said_ready and self._errand is None and self._all_tried():
            self._said_ready = True
            self._manager.ready(self._summary())
        if self._manager.watchdog_s is None or now_s < self._next_watchdog_s:
            return
        if self._crew.stuck_for_s() < STUCK_AFTER_S:
            self._next_watchdog_s = now_s + self._manager.watchdog_s / 3
            self._manager.alive()
            self._manager.status(self._summary())

    def _all_tried(self) -> bool:
        """Nobody is on the way for the first time: those that fail do not hold up the others."""
        return not any(
            worker.state.phase in (Phase.WAITING, Phase.STARTING) and worker.state.failures == 0
            for worker in self._crew.workers.values()
        )

    def _summary(self) -> str:
        states = [worker.state.phase for worker in self._crew.workers.values()]
        running = states.count(Phase.RUNNING)
        return f"{running} of {len(states)} workers run"

    def snapshot(self) -> dict[str, Any]:
        """How everything is, JSON-compatible: what the status socket answers."""
        services = self._crew.snapshot()
        fit = all(each["state"] == Phase.RUNNING for each in services)
        stopping = self._stopping_since_s is not None
        return {
            "pid": os.getpid(),
            "since_us": self._since_us,
            "status": "stopping" if stopping else "running" if fit else "degraded",
            "fork_server_pid": self._processes.server_pid,
            "services": services,
            "plugins": list(self._plugins()),
        }


_GOOD = frozenset({Happening.STARTED, Happening.RECOVERED})
_WORDS = {
    Happening.STARTED: "runs",
    Happening.FAILED: "ended",
    Happening.DEGRADED: "is degraded",
    Happening.RECOVERED: "has recovered",
}
