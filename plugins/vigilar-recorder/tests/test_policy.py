"""What shall be recorded, against every order of triggers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_recorder.policy import Coverage, RecordingPolicy, RecordingRules

RULES = RecordingRules(pre_roll_s=5, post_roll_s=30)

#: What happens, how many seconds after the last thing, and for how long if asked by hand.
HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(["start", "end", "manual", "timed", "stop", "lost", "look"]),
        st.integers(0, 60),
        st.integers(1, 100),
    ),
    max_size=40,
)


class Model:
    """The same, written down as sets of intervals."""

    def __init__(self, post_roll_s: float) -> None:
        self.post_roll_s = post_roll_s
        self.moving = False
        self.until: list[float] = []
        self.manual: float | None = None

    def apply(self, what: str, now_s: float, duration_s: float) -> None:
        if what == "start":
            self.moving = True
        elif what in ("end", "lost") and self.moving:
            self.moving = False
            self.until.append(now_s + self.post_roll_s)
        elif what == "manual":
            self.manual = float("inf")
        elif what == "timed":
            self.manual = now_s + duration_s
        elif what == "stop":
            self.manual = None

    def recording(self, now_s: float) -> bool:
        by_hand = self.manual is not None and now_s < self.manual
        return self.moving or by_hand or any(now_s < until for until in self.until)


def apply(policy: RecordingPolicy, what: str, now_s: float, duration_s: float) -> None:
    actions: dict[str, Any] = {
        "start": lambda: policy.motion_started(now_s),
        "end": lambda: policy.motion_ended(now_s),
        "lost": lambda: policy.camera_lost(now_s),
        "manual": lambda: policy.manual_started(now_s, "ann"),
        "timed": lambda: policy.manual_started(now_s, "ann", duration_s),
        "stop": policy.manual_stopped,
        "look": lambda: None,
    }
    actions[what]()


@given(HAPPENINGS, st.sampled_from(list(Coverage)), st.integers(0, 60))
def test_it_records_exactly_while_something_asks_for_it(
    happenings: list[tuple[str, int, int]], idle: Coverage, post_roll_s: int
) -> None:
    rules = RecordingRules(post_roll_s=post_roll_s, idle=idle)
    policy, model, now_s = RecordingPolicy(rules), Model(post_roll_s), 0.0
    for what, gap_s, duration_s in happenings:
        now_s += gap_s
        apply(policy, what, now_s, duration_s)
        model.apply(what, now_s, duration_s)
        expected = Coverage.EVERYTHING if model.recording(now_s) else idle
        assert policy.coverage(now_s) is expected
        assert (policy.trigger(now_s) is not None) == model.recording(now_s)


@given(HAPPENINGS)
def test_the_trigger_is_never_in_the_future(happenings: list[tuple[str, int, int]]) -> None:
    policy, now_s = RecordingPolicy(RULES), 0.0
    for what, gap_s, duration_s in happenings:
        now_s += gap_s
        apply(policy, what, now_s, duration_s)
        trigger = policy.trigger(now_s)
        assert trigger is None or trigger.moment_s <= now_s


@pytest.mark.parametrize(("gap_s", "together"), [(29.9, True), (30.0, False)])
def test_movements_closer_than_the_post_roll_run_into_one(gap_s: float, together: bool) -> None:
    policy = RecordingPolicy(RULES)
    policy.motion_started(100)
    policy.motion_ended(110)
    wanted = policy.coverage(110 + gap_s) is Coverage.EVERYTHING
    assert wanted is together


def test_a_second_start_changes_nothing() -> None:
    policy = RecordingPolicy(RULES)
    policy.motion_started(100)
    policy.motion_started(120)
    trigger = policy.trigger(120)
    assert trigger is not None
    assert trigger.moment_s == 100


def test_motion_outlasts_the_end_of_a_request() -> None:
    policy = RecordingPolicy(RULES)
    policy.manual_started(0, "ann")
    policy.motion_started(5)
    policy.manual_stopped()
    assert policy.coverage(6) is Coverage.EVERYTHING
