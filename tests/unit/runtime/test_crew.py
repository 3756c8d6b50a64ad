from __future__ import annotations

import dataclasses
import signal
from pathlib import Path
from typing import Any

import pytest

from vigilar_core.context import Service
from vigilar_core.runtime import crew as crew_module
from vigilar_core.runtime.boot import Boot
from vigilar_core.runtime.crew import (
    ABORT_GRACE_S,
    FIRST_FORK_PATIENCE_S,
    FORK_PATIENCE_S,
    FORKS_AT_ONCE,
    START_ALLOWANCE,
    Crew,
    Worker,
)
from vigilar_core.runtime.forkserver import Forked
from vigilar_core.runtime.states import Happening, Phase
from vigilar_core.runtime.workers import Stage, WorkerPlan
from vigilar_core.testing import FakeClock


class Hearts:
    """Heartbeats that beat when the test says so."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._beats: dict[int, float] = {}

    def beat(self, slot: int) -> None:
        self._beats[slot] = self._clock.monotonic_s()

    def age_s(self, slot: int) -> float | None:
        beat_s = self._beats.get(slot)
        return None if beat_s is None else self._clock.monotonic_s() - beat_s

    def clear(self, slot: int) -> None:
        self._beats.pop(slot, None)


class FakeChild:
    """A process that does what the test says."""

    requests = 0

    def __init__(self, _server: object, boot: dict[str, Any]) -> None:
        FakeChild.requests += 1
        self.request, self.boot, self.pid = FakeChild.requests, boot, 0
        self.signals: list[signal.Signals] = []
        self.asked_to_stop = self.gone = False
        self.said: list[dict[str, Any]] = []

    def forked(self, answer: Forked) -> None:
        self.pid = answer.pid

    def signal(self, number: signal.Signals) -> None:
        self.signals.append(number)

    def stop(self) -> None:
        self.asked_to_stop = True

    def has_ended(self) -> bool:
        return self.gone

    def reports(self) -> list[dict[str, Any]]:
        return [self.said.pop() for _ in list(self.said)]

    def close(self) -> list[str]:
        return []


def plan(name: str, *services: str, fingerprint: str = "1") -> WorkerPlan:
    members = tuple(Service(each, beat_timeout_s=10.0) for each in services or (name,))
    boot = Boot(name, members, (), "", {}, {}, {}, (), {}, "INFO", False)
    return WorkerPlan(name, boot, Stage.REST, (), fingerprint)


class House:
    """A crew over a clock, hearts and processes that the test moves."""

    def __init__(self, *plans: WorkerPlan) -> None:
        self.clock = FakeClock()
        self.hearts = Hearts(self.clock)
        self.told: list[tuple[str, Happening, str]] = []
        self.crew = Crew(
            self.clock,
            self.hearts,  # type: ignore[arg-type]
            Path("/beats"),
            lambda told, happening, reason: self.told.append((told.name, happening, reason)),
            lambda: 0.0,
        )
        for each in plans:
            self.crew.take_in(each)

    def worker(self, name: str) -> Worker:
        return self.crew.workers[name]

    def child(self, name: str) -> Any:
        return self.worker(name).child

    def start_due(self) -> list[str]:
        due = self.crew.due()
        for worker in due:
            self.crew.start(worker, None)  # type: ignore[arg-type]
        return [worker.plan.name for worker in due]

    def bring_up(self) -> None:
        """Start all that are due, fork them, let their hearts beat."""
        self.start_due()
        for worker in self.crew.workers.values():
            self.crew.forked(worker, Forked(worker.child.request, 77, -1))  # type: ignore[union-attr]
            self.beat(worker)
        self.crew.watch()

    def beat(self, worker: Worker) -> None:
        for slot in worker.slots:
            self.hearts.beat(slot)


@pytest.fixture(autouse=True)
def fake_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew_module, "Child", FakeChild)


def test_a_worker_runs_once_all_its_loops_beat() -> None:
    house = House(plan("group:light", "one", "two"))
    house.start_due()
    worker = house.worker("group:light")
    house.hearts.beat(worker.slots[0])
    house.crew.watch()
    assert worker.state.phase is Phase.STARTING
    house.hearts.beat(worker.slots[1])
    house.crew.watch()
    assert worker.state.phase is Phase.RUNNING
    assert house.told == [("group:light", Happening.STARTED, "")]


def test_each_loop_has_a_slot_of_its_own() -> None:
    house = House(plan("a"), plan("b", "one", "two"), plan("c"))
    slots = [slot for worker in house.crew.workers.values() for slot in worker.slots]
    assert len(set(slots)) == 4


def test_one_silent_loop_of_a_group_is_enough_to_abort_and_then_kill() -> None:
    house = House(plan("group:light", "one", "two"))
    house.bring_up()
    child = house.child("group:light")
    house.clock.advance(9.9)
    house.hearts.beat(house.worker("group:light").slots[0])
    house.crew.watch()
    assert child.signals == []
    house.clock.advance(0.1)
    house.crew.watch()
    assert child.signals == [signal.SIGABRT]
    house.clock.advance(ABORT_GRACE_S)
    for _ in range(3):
        house.crew.watch()
    assert child.signals == [signal.SIGABRT, signal.SIGKILL]
    house.crew.ended(house.worker("group:light"), -9)
    assert house.told[-1][2] == "the loop of two stood still for 10.0 s"


def test_the_supervisor_wakes_up_at_the_very_moment_a_beat_is_missed() -> None:
    house = House(plan("a"))
    house.bring_up()
    house.clock.advance(9.6)
    assert house.crew.next_moment_s() == pytest.approx(house.clock.monotonic_s() + 0.4)


def test_a_kill_that_does_not_help_at_once_costs_no_busy_loop() -> None:
    house = House(plan("a"))
    house.bring_up()
    house.clock.advance(10)
    house.crew.watch()
    house.clock.advance(ABORT_GRACE_S)
    house.crew.watch()
    house.clock.advance(40)
    assert house.crew.next_moment_s() > house.clock.monotonic_s()
    assert house.crew.stuck_for_s() == pytest.approx(40)


def test_a_start_may_take_six_time_outs_counted_from_the_fork() -> None:
    house = House(plan("a"))
    house.start_due()
    house.clock.advance(50)
    house.crew.forked(house.worker("a"), Forked(1, 77, -1))
    house.clock.advance(START_ALLOWANCE * 10 - 1)
    house.crew.watch()
    assert house.child("a").signals == []
    house.clock.advance(1)
    house.crew.watch()
    assert house.child("a").signals == [signal.SIGABRT]


def test_a_fork_server_that_does_not_fork_is_stuck_later_at_its_first_fork() -> None:
    house = House(plan("a"))
    house.start_due()
    house.clock.advance(FORK_PATIENCE_S)
    assert house.crew.server_is_stuck(proven=True)
    assert not house.crew.server_is_stuck(proven=False)
    house.clock.advance(FIRST_FORK_PATIENCE_S)
    assert house.crew.server_is_stuck(proven=False)


def test_a_fork_server_that_does_not_report_an_end_is_stuck() -> None:
    house = House(plan("a"))
    house.bring_up()
    house.child("a").gone = True
    house.clock.advance(10)
    house.crew.watch()
    assert not house.crew.server_is_stuck(proven=True)
    house.clock.advance(2 * ABORT_GRACE_S)
    assert house.crew.server_is_stuck(proven=True)


def test_forks_are_asked_for_a_few_at_a_time_without_a_busy_loop() -> None:
    house = House(*(plan(f"camera:{number}") for number in range(10)))
    asked: list[str] = []
    while started := house.start_due():
        assert len(started) <= FORKS_AT_ONCE
        assert house.crew.due() == []
        waiting = [each for each in house.crew.workers.values() if each.child is None]
        if waiting:
            assert house.crew.next_moment_s() > house.clock.monotonic_s()
        for name in started:
            house.crew.forked(house.worker(name), Forked(1, 77, -1))
        asked += started
    assert len(asked) == len(set(asked)) == 10


def test_last_words_are_told_and_forgotten_at_the_next_start() -> None:
    house = House(plan("a"))
    house.bring_up()
    house.child("a").said.append({"failed": "no such dongle"})
    house.crew.ended(house.worker("a"), 1)
    assert house.told[-1] == ("a", Happening.FAILED, "no such dongle")
    house.clock.advance(1)
    assert house.start_due() == ["a"]
    house.crew.ended(house.worker("a"), 3)
    assert house.told[-1][2] == "ended with exit code 3"


def test_reports_of_any_shape_do_no_harm() -> None:
    house = House(plan("a"))
    house.bring_up()
    house.child("a").said += [{}, {"failed": 3}, {"health": "fine"}, {"health": {}, "service": 3}]
    house.crew.read(house.worker("a"))
    assert house.worker("a").last_words == ""


def test_going_over_to_the_same_plans_touches_nobody() -> None:
    house = House(plan("a"), plan("b"))
    house.bring_up()
    assert house.crew.rearrange([plan("a"), plan("b")]) == []


def test_a_changed_worker_is_stopped_and_started_with_its_new_plan() -> None:
    house = House(plan("a"), plan("b"))
    house.bring_up()
    assert house.crew.rearrange([plan("a", "x", "y", fingerprint="2"), plan("b")]) == ["a"]
    child = house.child("a")
    assert child.asked_to_stop
    house.crew.ended(house.worker("a"), 0)
    assert house.start_due() == ["a"]
    assert [each["name"] for each in house.child("a").boot["services"]] == ["x", "y"]
    assert house.worker("a").state.failures == 0


def test_a_worker_that_is_no_longer_planned_ends_and_is_forgotten() -> None:
    house = House(plan("a"), plan("b"))
    house.bring_up()
    assert house.crew.rearrange([plan("b")]) == ["a"]
    house.crew.ended(house.worker("a"), 0)
    assert list(house.crew.workers) == ["b"]


def test_a_new_worker_is_taken_in() -> None:
    house = House(plan("a"))
    house.bring_up()
    assert house.crew.rearrange([plan("a"), plan("c")]) == ["c"]
    assert house.start_due() == ["c"]


def test_two_changes_in_a_row_lead_to_the_last_one() -> None:
    house = House(plan("a"))
    house.bring_up()
    house.crew.rearrange([plan("a", fingerprint="2")])
    assert house.crew.rearrange([plan("a", fingerprint="2")]) == []
    house.crew.rearrange([plan("a", fingerprint="3")])
    house.crew.ended(house.worker("a"), 0)
    assert house.worker("a").plan.fingerprint == "3"


def test_a_change_that_is_taken_back_while_the_worker_stops_still_starts_it() -> None:
    house = House(plan("a"))
    house.bring_up()
    house.crew.rearrange([])
    house.crew.rearrange([plan("a")])
    house.crew.ended(house.worker("a"), 0)
    assert house.start_due() == ["a"]


def test_any_reload_wakes_who_waits_for_a_changed_configuration() -> None:
    house = House(plan("a"))
    house.bring_up()
    house.crew.ended(house.worker("a"), 78)
    house.clock.advance(1e6)
    assert house.start_due() == []
    assert house.crew.rearrange([plan("a")]) == ["a"]
    assert house.start_due() == ["a"]


def test_slots_of_the_gone_are_used_again() -> None:
    house = House(plan("a"))
    for number in range(3000):
        house.crew.rearrange([plan("a", fingerprint=str(number)), plan(f"w{number}", "x", "y")])
    assert len(house.crew.workers) == 2


def test_when_the_end_begins_nobody_new_is_started() -> None:
    house = House(plan("a"), plan("b"))
    house.bring_up()
    house.crew.ended(house.worker("a"), 1)
    house.crew.rearrange([plan("a"), plan("b", fingerprint="2")])
    house.crew.stand_down()
    house.clock.advance(1000)
    assert house.start_due() == []
    house.crew.ended(house.worker("b"), 0)
    assert house.start_due() == []


def test_the_snapshot_tells_each_service_of_a_group() -> None:
    house = House(plan("group:light", "one", "two"))
    house.bring_up()
    found = {each["name"]: each for each in house.crew.snapshot()}
    assert set(found) == {"one", "two"}
    assert dataclasses.asdict(house.worker("group:light").state)["restarts"] == 0
    assert (found["one"]["worker"], found["one"]["state"], found["one"]["last_beat_s"]) == (
        "group:light", "running", 0.0,
    )  # fmt: skip
