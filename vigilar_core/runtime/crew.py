"""The workers of an installation: each with its plan, state, process and heartbeat slots."""

from __future__ import annotations

import logging
import random
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vigilar_core.clock import Clock
from vigilar_core.runtime import states
from vigilar_core.runtime.children import Child
from vigilar_core.runtime.forkserver import Forked, ForkServer
from vigilar_core.runtime.heartbeat import SLOTS, Heartbeats
from vigilar_core.runtime.states import Happening, Phase, WorkerState
from vigilar_core.runtime.workers import WorkerPlan

#: How long a process may print its stacks after SIGABRT before SIGKILL ends it, seconds.
ABORT_GRACE_S = 2.0
#: A start may take this many times the service's beat time-out.
START_ALLOWANCE = 6
#: How long the fork server may take to answer, seconds; the first time it imports libraries.
FORK_PATIENCE_S = 10.0
FIRST_FORK_PATIENCE_S = 90.0
#: Forks asked for and not answered; a socket's queue may hold no more than ten messages.
FORKS_AT_ONCE = 4

#: Told of a worker's life: the worker's plan, what happened, why.
Announce = Callable[[WorkerPlan, Happening, str], None]

log = logging.getLogger(__name__)


@dataclass
class Worker:
    """One worker.

    :param successor: the plan to go on with once the present process has ended
    :param retired: it shall not be started again
    :param asked_s: when its process was asked for
    :param forked_s: when its process came to be
    :param kill_at_s: when patience with it is over and SIGKILL follows
    """

    plan: WorkerPlan
    slots: tuple[int, ...]
    state: WorkerState
    child: Child | None = None
    successor: WorkerPlan | None = None
    retired: bool = False
    asked_s: float = 0.0
    forked_s: float = 0.0
    kill_at_s: float | None = None
    killed: bool = False
    last_words: str = ""
    health: dict[str, Any] = field(default_factory=dict)


class Crew:
    """Starts, watches and ends workers; never waits.

    :param beats: the heartbeat file
    :param beats_path: where workers find it
    :param announce: told what happens
    :param chance: random numbers for the jitter, 0.0 to 1.0
    """

    def __init__(
        self,
        clock: Clock,
        beats: Heartbeats,
        beats_path: Path,
        announce: Announce,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._beats = beats
        self._beats_path = beats_path
        self._announce = announce
        self._chance = chance
        self._free = list(range(SLOTS - 1, -1, -1))
        self._standing_down = False
        self.workers: dict[str, Worker] = {}

    # ------------------------------------------------------------------ membership

    def take_in(self, plan: WorkerPlan) -> None:
        """A new worker, due at once."""
        now_s = self._clock.monotonic_s()
        slots = tuple(self._free.pop() for _ in plan.boot.services)
        self.workers[plan.name] = Worker(plan, slots, WorkerState(since_s=now_s, due_s=now_s))

    def rearrange(self, plans: Iterable[WorkerPlan]) -> list[str]:
        """Go over to new plans; returns the names of the workers that this touches."""
        wanted = {plan.name: plan for plan in plans}
        touched = [name for name in wanted if name not in self.workers]
        for worker in list(self.workers.values()):
            plan = wanted.get(worker.plan.name)
            if plan is None:
                touched.append(worker.plan.name)
                self._retire(worker)
            elif worker.retired or self._is_other(worker, plan):
                touched.append(worker.plan.name)
                self._replace(worker, plan)
        for name, plan in wanted.items():
            if name not in self.workers:
                self.take_in(plan)
        return touched

    def _is_other(self, worker: Worker, plan: WorkerPlan) -> bool:
        """Whether it must be restarted to become what is planned, or waits for any change."""
        latest = worker.successor or worker.plan
        waits = worker.state.phase is Phase.DEGRADED and worker.state.due_s is None
        return waits or plan.fingerprint != latest.fingerprint

    def _retire(self, worker: Worker) -> None:
        worker.retired = True
        if worker.state.has_process:
            self.ask_to_stop(worker)
        else:
            self._forget(worker)

    def _replace(self, worker: Worker, plan: WorkerPlan) -> None:
        worker.successor, worker.retired = plan, False
        if worker.state.has_process:
            self.ask_to_stop(worker)
        else:
            self._succeed(worker)

    def _succeed(self, worker: Worker) -> None:
        """Go on with the successor's plan, whose services may be others."""
        assert worker.successor is not None
        self._free.extend(worker.slots)
        worker.plan, worker.successor = worker.successor, None
        worker.slots = tuple(self._free.pop() for _ in worker.plan.boot.services)
        worker.state = states.reload(worker.state, self._clock.monotonic_s())

    def _forget(self, worker: Worker) -> None:
        self._free.extend(worker.slots)
        del self.workers[worker.plan.name]

    # ------------------------------------------------------------------------ life

    def due(self) -> list[Worker]:
        """Workers that shall be started now; few at a time."""
        now_s = self._clock.monotonic_s()
        due = [worker for worker in self.workers.values() if worker.state.is_due(now_s)]
        return due[: self._room()]

    def _room(self) -> int:
        """How many more forks may be asked for before one is answered."""
        asked = sum(
            worker.child is not None and worker.child.pid == 0 for worker in self.workers.values()
        )
        return max(0, FORKS_AT_ONCE - asked)

    def start(self, worker: Worker, server: ForkServer) -> None:
        """Ask for a process.

        :raises ForkServerGoneError: there is none to ask
        """
        for slot in worker.slots:
            self._beats.clear(slot)
        boot = replace(worker.plan.boot, slots=worker.slots, beats=str(self._beats_path))
        worker.child = Child(server, boot.to_json())
        worker.last_words, worker.kill_at_s, worker.killed = "", None, False
        worker.asked_s = self._clock.monotonic_s()
        worker.state = states.start(worker.state, worker.asked_s)

    def forked(self, worker: Worker, answer: Forked) -> None:
        """Its process exists."""
        assert worker.child is not None
        worker.child.forked(answer)
        worker.forked_s = self._clock.monotonic_s()

    def ended(self, worker: Worker, exit_code: int | None) -> None:
        """Its process is no more."""
        self.read(worker)
        if worker.child is not None:
            print_lines(worker, worker.child.close())
            worker.child = None
        worker.kill_at_s = None
        worker.health.clear()
        now_s = self._clock.monotonic_s()
        after = states.end(worker.state, now_s, exit_code, worker.last_words, self._chance())
        self._go_over(worker, after)
        if self._standing_down:
            self.stand_down()
        elif worker.retired:
            self._forget(worker)
        elif worker.successor is not None:
            self._succeed(worker)

    def read(self, worker: Worker) -> None:
        """Take what the worker reports."""
        for report in worker.child.reports() if worker.child else ():
            if isinstance(failed := report.get("failed"), str):
                worker.last_words = worker.last_words or failed
            if isinstance(health := report.get("health"), dict):
                worker.health[str(report.get("service"))] = health

    def _go_over(self, worker: Worker, after: WorkerState) -> None:
        before, worker.state = worker.state, after
        for happening in states.happenings(before, after):
            self._announce(worker.plan, happening, after.reason)

    # -------------------------------------------------------------------- watching

    def watch(self) -> None:
        """Look at every worker's beats; a process that hangs is aborted, then killed."""
        now_s = self._clock.monotonic_s()
        for worker in self.workers.values():
            if worker.child is None:
                continue
            if worker.kill_at_s is not None and now_s >= worker.kill_at_s:
                if not worker.killed:
                    worker.killed = True
                    worker.child.signal(signal.SIGKILL)
            elif worker.state.phase is Phase.RUNNING:
                self._watch_running(worker, now_s)
            elif worker.state.phase is Phase.STARTING:
                self._watch_starting(worker, now_s)

    def _watch_running(self, worker: Worker, now_s: float) -> None:
        self._go_over(worker, states.settle(worker.state, now_s))
        for service, slot in zip(worker.plan.boot.services, worker.slots, strict=True):
            age_s = self._beats.age_s(slot)
            if age_s is not None and age_s >= service.beat_timeout_s:
                self._abort(worker, f"the loop of {service.name} stood still for {age_s:.1f} s")
                return

    def _watch_starting(self, worker: Worker, now_s: float) -> None:
        if all(self._beats.age_s(slot) is not None for slot in worker.slots):
            self._go_over(worker, states.run(worker.state, now_s))
            return
        allowed_s = START_ALLOWANCE * max(
            service.beat_timeout_s for service in worker.plan.boot.services
        )
        assert worker.child is not None
        if worker.child.pid and now_s - worker.forked_s >= allowed_s:
            self._abort(worker, f"did not come up within {allowed_s:g} s")

    def _abort(self, worker: Worker, reason: str) -> None:
        if worker.kill_at_s is not None:
            return
        assert worker.child is not None
        log.error("%s hangs: %s", worker.plan.name, reason)
        worker.last_words = reason
        worker.kill_at_s = self._clock.monotonic_s() + ABORT_GRACE_S
        worker.child.signal(signal.SIGABRT)

    def next_moment_s(self) -> float:
        """When the next start, kill or missed beat can be due, monotonic."""
        now_s = self._clock.monotonic_s()
        moments, may_start = [now_s + 1.0], self._room() > 0
        for worker in self.workers.values():
            if worker.state.due_s is not None and may_start:
                moments.append(worker.state.due_s)
            if worker.kill_at_s is not None and not worker.killed:
                moments.append(worker.kill_at_s)
            if worker.state.phase is Phase.STARTING:
                moments.append(now_s + 0.1)
            elif worker.state.phase is Phase.RUNNING and worker.kill_at_s is None:
                moments += self._beat_deadlines(worker, now_s)
        return max(now_s, min(moments))

    def _beat_deadlines(self, worker: Worker, now_s: float) -> list[float]:
        services = zip(worker.plan.boot.services, worker.slots, strict=True)
        return [
            now_s + service.beat_timeout_s - (self._beats.age_s(slot) or 0.0)
            for service, slot in services
        ]

    def server_is_stuck(self, *, proven: bool) -> bool:
        """Whether the fork server neither forks what was asked for nor reports what ended.

        :param proven: it has forked before, so nothing is left to import
        """
        now_s = self._clock.monotonic_s()
        patience_s = FORK_PATIENCE_S if proven else FIRST_FORK_PATIENCE_S
        for worker in self.workers.values():
            if worker.child is None:
                continue
            if worker.child.pid == 0 and now_s - worker.asked_s >= patience_s:
                return True
            overdue_s = now_s - worker.kill_at_s if worker.kill_at_s is not None else 0.0
            if overdue_s >= ABORT_GRACE_S and worker.child.has_ended():
                return True
        return False

    def stuck_for_s(self) -> float:
        """How long the most stubborn process has outlived its SIGKILL, seconds."""
        now_s = self._clock.monotonic_s()
        overdue = (worker.kill_at_s for worker in self.workers.values())
        return max((now_s - each for each in overdue if each is not None), default=0.0)

    # ---------------------------------------------------------------------- ending

    def ask_to_stop(self, worker: Worker, grace_s: float = 5.0) -> None:
        """Ask for an orderly end, enforced after ``grace_s``."""
        now_s = self._clock.monotonic_s()
        if worker.state.phase is not Phase.STOPPING:
            worker.state = states.stop(worker.state, now_s)
        if worker.child is not None:
            worker.child.stop()
            limit_s = now_s + grace_s
            worker.kill_at_s = min(worker.kill_at_s or limit_s, limit_s)

    def stand_down(self) -> None:
        """The end begins: nobody who has no process gets one."""
        self._standing_down = True
        now_s = self._clock.monotonic_s()
        for worker in self.workers.values():
            worker.retired, worker.successor = False, None
            if not worker.state.has_process:
                worker.state = states.stop(worker.state, now_s)

    def snapshot(self) -> list[Mapping[str, Any]]:
        """Every service with its worker's state, JSON-compatible."""
        return [
            self._describe(worker, service.name, slot)
            for worker in self.workers.values()
            for service, slot in zip(worker.plan.boot.services, worker.slots, strict=True)
        ]

    def _describe(self, worker: Worker, name: str, slot: int) -> Mapping[str, Any]:
        now_s, state = self._clock.monotonic_s(), worker.state
        age_s = self._beats.age_s(slot) if worker.child is not None else None
        return {
            "name": name,
            "worker": worker.plan.name,
            "state": state.phase.value,
            "reason": state.reason,
            "pid": worker.child.pid if worker.child is not None else None,
            "restarts": max(0, state.restarts),
            "failures_in_a_row": state.failures,
            "in_state_s": round(now_s - state.since_s, 1),
            "next_start_in_s": round(max(0.0, state.due_s - now_s), 1) if state.due_s else None,
            "last_beat_s": None if age_s is None else round(age_s, 2),
            "health": worker.health.get(name, {}),
        }


def print_lines(worker: Worker, lines: Iterable[str]) -> None:
    """What a worker's libraries printed, as records of the log."""
    output = logging.getLogger("vigilar.output")
    for line in lines:
        output.warning(line, extra={"service": worker.plan.name})
