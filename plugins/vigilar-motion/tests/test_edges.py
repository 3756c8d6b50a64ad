"""The state machine of edges, by example and by property."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vigilar_motion.edges import Edge, EdgeMachine, Sighting
from vigilar_motion.options import EdgeTiming

TIMING = EdgeTiming()
START_S = 500.0


def run(machine: EdgeMachine, looks: list[tuple[float, float | None]]) -> list[Edge]:
    """Feed (time, confidence or nothing); the thing is first seen with the first of its hits."""
    edges, since_s = [], None
    for time_s, confidence in looks:
        since_s = (since_s or time_s) if confidence is not None else None
        sighting = Sighting(confidence, since_s or time_s) if confidence is not None else None
        edge = machine.observe(time_s, sighting)
        edges += [edge] if edge else []
    return edges


def looks(fps: float, *parts: tuple[float, float | None]) -> list[tuple[float, float | None]]:
    """Stretches of (seconds, confidence) at a rate."""
    made: list[tuple[float, float | None]] = []
    for seconds, confidence in parts:
        for _ in range(round(seconds * fps)):
            made.append((START_S + len(made) / fps, confidence))
    return made


def test_one_pass_makes_one_start_and_one_end_at_every_rate() -> None:
    for fps in (0.5, 1.0, 2.0, 5.0, 10.0, 30.0):
        edges = run(EdgeMachine(TIMING), looks(fps, (10, None), (8, 0.9), (20, None)))
        assert [edge.edge for edge in edges] == ["start", "end"], fps


def test_a_pause_shorter_than_the_hold_does_not_end_motion() -> None:
    parts = (10, None), (3, 0.9), (TIMING.hold_s - 1, None), (3, 0.9), (20, None)
    edges = run(EdgeMachine(TIMING), looks(5, *parts))
    assert [edge.edge for edge in edges] == ["start", "end"]


def test_nothing_starts_during_the_warm_up() -> None:
    edges = run(EdgeMachine(TIMING), looks(5, (TIMING.warm_up_s - 0.1, 0.9), (20, None)))
    assert edges == []


def test_a_single_hit_at_a_fast_rate_is_not_believed_but_asks_for_more() -> None:
    machine = EdgeMachine(TIMING)
    assert run(machine, looks(5, (10, None), (0.2, 1.0))) == []
    assert machine.wants_faster


def test_a_single_strong_hit_is_believed_when_pictures_are_far_apart() -> None:
    edges = run(EdgeMachine(TIMING), looks(0.5, (20, None), (2, 0.9)))
    assert [edge.edge for edge in edges] == ["start"]


def test_a_single_weak_hit_between_key_frames_asks_for_more_pictures() -> None:
    machine = EdgeMachine(TIMING)
    assert run(machine, looks(0.5, (20, None), (2, 0.55))) == []
    assert machine.wants_faster


def test_a_hit_that_cannot_have_come_from_the_one_before_confirms_nothing() -> None:
    machine = EdgeMachine(TIMING)
    run(machine, looks(5, (10, None)))
    found = [
        machine.observe(START_S + 10 + n / 5, Sighting(1.0, since_s=START_S + 10 + n / 5))
        for n in range(10)
    ]
    assert found == [None] * 10


def test_wants_nothing_faster_when_warm_and_quiet() -> None:
    machine = EdgeMachine(TIMING)
    run(machine, looks(5, (1, None)))
    assert machine.wants_faster
    run(machine, looks(5, (10, None))[6:])
    assert not machine.wants_faster


def test_motion_under_way_outlasts_a_change_of_light() -> None:
    machine = EdgeMachine(TIMING)
    assert len(run(machine, looks(5, (10, None), (2, 0.9)))) == 1
    for n in range(100):
        machine.pause(START_S + 12 + n / 5)
    assert machine.active
    assert machine.observe(START_S + 33, None) is None


def test_the_end_carries_the_best_confidence_and_all_zones() -> None:
    machine = EdgeMachine(TIMING)
    run(machine, looks(5, (10, None)))
    seen = START_S + 10
    machine.observe(seen, Sighting(0.6, seen, zones=("path",)))
    machine.observe(seen + 0.2, Sighting(0.6, seen, zones=("path",)))
    machine.observe(seen + 0.4, Sighting(0.95, seen, zones=("door",)))
    end = machine.observe(seen + 30, None)
    assert end is not None and end.edge == "end"
    assert end.sighting.confidence == 0.95
    assert end.sighting.zones == ("path", "door")


steps = st.lists(
    st.tuples(st.floats(0.02, 4.0), st.one_of(st.none(), st.floats(0.5, 1.0)), st.booleans()),
    max_size=120,
)


@given(steps)
def test_edges_alternate_and_keep_their_durations(
    history: list[tuple[float, float | None, bool]],
) -> None:
    machine, time_s, since_s = EdgeMachine(TIMING), START_S, START_S
    edges: list[Edge] = []
    last_hit_s = -1e9
    for interval_s, confidence, linked in history:
        time_s += interval_s
        since_s = since_s if linked else time_s
        was_active = machine.active
        sighting = None if confidence is None else Sighting(confidence, since_s)
        edge = machine.observe(time_s, sighting)
        if edge is not None:
            edges.append(edge)
            assert edge.edge == ("end" if was_active else "start")
        if edge is not None and edge.edge == "end":
            assert time_s - last_hit_s >= TIMING.hold_s
            assert time_s - edges[-2].time_s >= TIMING.minimum_s
        if edge is not None and edge.edge == "start":
            assert confidence is not None
            assert time_s >= START_S + TIMING.warm_up_s
        last_hit_s = time_s if confidence is not None else last_hit_s
    assert machine.active == (len(edges) % 2 == 1)


@given(steps, st.floats(6.0, 40.0))
def test_whatever_happened_silence_ends_motion(
    history: list[tuple[float, float | None, bool]], quiet_s: float
) -> None:
    machine, time_s = EdgeMachine(TIMING), START_S
    for interval_s, confidence, _ in history:
        time_s += interval_s
        machine.observe(time_s, None if confidence is None else Sighting(confidence, time_s - 0.5))
    for n in range(int(quiet_s * 5)):
        machine.observe(time_s + (n + 1) / 5, None)
    assert not machine.active
