"""Which packet goes where, against every course of wishes and packets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vigilar_recorder.plan import EndedBy, Position, RecordingPlan
from vigilar_recorder.policy import Coverage

MAX_S = 20.0
COURSE = st.lists(
    st.tuples(
        st.sampled_from(list(Coverage)),
        st.sampled_from(list(Position)),
        st.floats(0.01, 5.0),
        st.booleans(),
    ),
    max_size=80,
)
Course = list[tuple[Coverage, Position, float, bool]]


@given(COURSE)
def test_at_most_one_recording_is_open_and_each_that_began_ends(course: Course) -> None:
    plan, now_s, is_open = RecordingPlan(MAX_S), 0.0, False
    for wanted, position, gap_s, may_begin in course:
        now_s += gap_s
        step = plan.decide(wanted, now_s, position, may_begin=may_begin)
        if step.end is not None:
            assert is_open
            is_open = False
        if step.begin is not None:
            assert not is_open
            is_open = True
        assert is_open == (plan.coverage is not Coverage.NOTHING)
        assert is_open or not step.write


@given(COURSE)
def test_every_packet_that_is_wanted_goes_into_exactly_one_recording(course: Course) -> None:
    plan, now_s = RecordingPlan(MAX_S), 0.0
    for wanted, position, gap_s, _ in course:
        now_s += gap_s
        step = plan.decide(wanted, now_s, position, may_begin=True)
        from_ring = step.begin is not None and step.from_ring
        if position is Position.NO_PACKET:
            assert not step.write
        elif wanted is Coverage.EVERYTHING:
            assert step.write != from_ring, "written now, or out of the ring, never both"
        elif wanted is Coverage.KEY_FRAMES:
            assert step.write == (position is Position.KEY_FRAME)
        else:
            assert not step.write


@given(COURSE)
def test_nothing_begins_between_key_frames_except_out_of_the_ring(course: Course) -> None:
    plan, now_s = RecordingPlan(MAX_S), 0.0
    for wanted, position, gap_s, may_begin in course:
        now_s += gap_s
        step = plan.decide(wanted, now_s, position, may_begin=may_begin)
        if step.begin is not None and not step.from_ring:
            assert position is Position.KEY_FRAME
            assert step.write


@given(COURSE)
def test_nothing_begins_while_nothing_may(course: Course) -> None:
    plan, now_s = RecordingPlan(MAX_S), 0.0
    for wanted, position, gap_s, _ in course:
        now_s += gap_s
        step = plan.decide(wanted, now_s, position, may_begin=False)
        assert step.begin is None


@given(st.lists(st.tuples(st.sampled_from(list(Position)), st.floats(0.01, 3.0)), max_size=100))
def test_a_split_comes_with_the_first_key_frame_after_the_limit_and_goes_on_at_once(
    packets: list[tuple[Position, float]],
) -> None:
    plan, now_s, began_s = RecordingPlan(MAX_S), 0.0, 0.0
    plan.decide(Coverage.EVERYTHING, 0.0, Position.KEY_FRAME, may_begin=True)
    for position, gap_s in packets:
        now_s += gap_s
        step = plan.decide(Coverage.EVERYTHING, now_s, position, may_begin=True)
        due = now_s - began_s >= MAX_S and position is Position.KEY_FRAME
        assert (step.end is EndedBy.SPLIT) == due
        if due:
            assert step.begin is Coverage.EVERYTHING
            assert step.write
            assert not step.from_ring
            began_s = now_s


def test_a_recording_that_reaches_back_is_split_that_much_sooner() -> None:
    plan = RecordingPlan(MAX_S)
    plan.decide(Coverage.EVERYTHING, 100.0, Position.NO_PACKET, may_begin=True)
    plan.began(95.0)
    early = plan.decide(Coverage.EVERYTHING, 114.9, Position.KEY_FRAME, may_begin=True)
    late = plan.decide(Coverage.EVERYTHING, 115.0, Position.KEY_FRAME, may_begin=True)
    assert early.end is None
    assert late.end is EndedBy.SPLIT


def test_key_frames_go_on_while_everything_cannot_begin() -> None:
    plan = RecordingPlan(MAX_S)
    plan.decide(Coverage.KEY_FRAMES, 0.0, Position.KEY_FRAME, may_begin=True)
    step = plan.decide(Coverage.EVERYTHING, 1.0, Position.KEY_FRAME, may_begin=False)
    assert step.write
    assert step.end is None
