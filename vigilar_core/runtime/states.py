"""The life of a worker as a function of values: what it is now, what happened, what it is next.

::

    waiting ──start──▶ starting ──first beats──▶ running
       ▲                  │                         │
       │                  └────── ended ────────────┤
       └─ reload ─ degraded ◀─ exit 78              │
                      ▲                             ▼
                      └── fifth failure ──── backing_off(until)

A degraded worker is still started again and again; only exit code 78 makes it wait for a
changed configuration.
"""

from __future__ import annotations

import enum
import signal
from dataclasses import dataclass, replace

from vigilar_core.errors import ExitCode
from vigilar_core.runtime import backoff

#: Failures in a row after which a worker counts as degraded and people are told.
DEGRADED_AFTER = 5
#: How long a degraded worker must run before it counts as recovered, seconds.
RECOVERED_AFTER_S = 30.0


class Phase(enum.StrEnum):
    """Where a worker is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    BACKING_OFF = "backing_off"
    DEGRADED = "degraded"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Happening(enum.StrEnum):
    """What people and the ledger are told of a worker's life."""

    STARTED = "service_started"
    FAILED = "service_failed"
    DEGRADED = "service_degraded"
    RECOVERED = "service_recovered"

    @property
    def topic_level(self) -> str:
        """The last level of its topic."""
        return self.value.removeprefix("service_")


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker's state; times on the monotonic clock.

    :param reason: why it is not running, a sentence for people
    :param since_s: when it came into this phase
    :param due_s: when it shall be started; ``None``: not by time
    :param failures: failures in a row
    :param restarts: starts after the first
    :param troubled: it was announced as degraded and has not recovered yet
    """

    phase: Phase = Phase.WAITING
    reason: str = ""
    since_s: float = 0.0
    due_s: float | None = 0.0
    failures: int = 0
    restarts: int = -1
    troubled: bool = False

    def is_due(self, now_s: float) -> bool:
        """Whether it shall be started now."""
        return self.due_s is not None and now_s >= self.due_s

    @property
    def has_process(self) -> bool:
        return self.phase in (Phase.STARTING, Phase.RUNNING, Phase.STOPPING)


def start(state: WorkerState, now_s: float) -> WorkerState:
    """A process was asked for."""
    return replace(
        state, phase=Phase.STARTING, since_s=now_s, due_s=None, restarts=state.restarts + 1
    )


def run(state: WorkerState, now_s: float) -> WorkerState:
    """All its loops beat."""
    return replace(state, phase=Phase.RUNNING, since_s=now_s, reason="")


def settle(state: WorkerState, now_s: float) -> WorkerState:
    """Time passes: a troubled worker that keeps running has recovered."""
    if (
        state.troubled
        and state.phase is Phase.RUNNING
        and now_s - state.since_s >= RECOVERED_AFTER_S
    ):
        return replace(state, troubled=False)
    return state


def stop(state: WorkerState, now_s: float) -> WorkerState:
    """It was asked to end, or was never started."""
    phase = Phase.STOPPING if state.has_process else Phase.STOPPED
    return replace(state, phase=phase, since_s=now_s, due_s=None)


def end(
    state: WorkerState, now_s: float, exit_code: int | None, reason: str, chance: float
) -> WorkerState:
    """Its process ended.

    :param exit_code: as :func:`explain` takes it
    :param reason: the worker's own last words, if it had any
    :param chance: a random number, 0.0 to 1.0, for the jitter
    """
    if state.phase is Phase.STOPPING:
        return replace(state, phase=Phase.STOPPED, since_s=now_s, due_s=None)
    why = reason or explain(exit_code)
    if exit_code == ExitCode.CONFIGURATION:
        return replace(
            state, phase=Phase.DEGRADED, reason=why, since_s=now_s, due_s=None, troubled=True
        )
    ran_s = now_s - state.since_s if state.phase is Phase.RUNNING else 0.0
    failures = backoff.failures_in_a_row(state.failures, ran_s)
    troubled = state.troubled or failures >= DEGRADED_AFTER
    return replace(
        state,
        phase=Phase.DEGRADED if troubled else Phase.BACKING_OFF,
        reason=why,
        since_s=now_s,
        due_s=now_s + backoff.delay_s(failures, chance),
        failures=failures,
        troubled=troubled,
    )


def reload(state: WorkerState, now_s: float) -> WorkerState:
    """Its configuration changed: earlier failures no longer tell anything."""
    return WorkerState(since_s=now_s, due_s=now_s, restarts=state.restarts, troubled=state.troubled)


def happenings(before: WorkerState, after: WorkerState) -> list[Happening]:
    """What is worth telling of a step from one state to the next."""
    found: list[Happening] = []
    if after.phase is Phase.RUNNING and before.phase is not Phase.RUNNING:
        found.append(Happening.STARTED)
    if after.phase in (Phase.BACKING_OFF, Phase.DEGRADED) and before.has_process:
        found.append(Happening.FAILED)
    if after.troubled and not before.troubled:
        found.append(Happening.DEGRADED)
    if before.troubled and not after.troubled and after.phase is Phase.RUNNING:
        found.append(Happening.RECOVERED)
    return found


def explain(exit_code: int | None) -> str:
    """An exit in words.

    :param exit_code: 0–255 as the process chose it, negative the signal that killed it,
        ``None`` unknown
    """
    if exit_code is None:
        return "ended together with the process that started it"
    if exit_code < 0:
        return _explain_signal(-exit_code)
    if exit_code == 0:
        return "ended although nobody asked it to"
    if exit_code == ExitCode.CONFIGURATION:
        return "the configuration must change"
    if exit_code == ExitCode.LATER:
        return "something it needs is not there yet"
    return f"ended with exit code {exit_code}"


def _explain_signal(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    hint = {
        int(signal.SIGKILL): ": out of memory?",
        int(signal.SIGABRT): ": its loop had stopped; the stacks are in the log",
        int(signal.SIGSEGV): ": a fault in a native library",
        int(signal.SIGBUS): ": a mapped file lost its storage; disk full?",
    }.get(number, "")
    return f"killed by {name}{hint}"
