from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilar_camera_rtsp.stream_clock import JUMP_S, StreamClock

TICK = Fraction(1, 90_000)
FRAME = 3600


def anchored(dts: int = 0, arrival_s: float = 100.0, origin_s: float = 90.0) -> StreamClock:
    clock = StreamClock(TICK, origin_s)
    clock.anchor([(dts, arrival_s)])
    return clock


def test_the_rhythm_of_the_camera_is_kept_whatever_the_arrival_does() -> None:
    clock = anchored()
    arrivals = [100.0, 100.3, 100.3, 100.31, 100.9]
    times = [clock.stamp(n * FRAME, n * FRAME, at).monotonic_s for n, at in enumerate(arrivals)]
    assert times == pytest.approx([100.0, 100.04, 100.08, 100.12, 100.16])


def test_a_burst_of_older_packets_is_dated_back_from_the_last() -> None:
    clock = StreamClock(TICK, 90.0)
    clock.anchor([(n * FRAME, 100.0 + n * 0.001) for n in range(50)])
    assert clock.stamp(0, 0, 100.0).monotonic_s == pytest.approx(100.049 - 49 * 0.04)
    assert clock.stamp(None, 49 * FRAME, 100.0).monotonic_s == pytest.approx(100.049)


def test_missing_first_times_are_filled_backwards() -> None:
    clock = StreamClock(TICK, 90.0)
    clock.anchor([(None, 100.0), (FRAME, 100.04), (2 * FRAME, 100.08)])
    filled = clock.fill_first([(None, None), (FRAME, FRAME), (2 * FRAME, 2 * FRAME)])
    assert filled == [(0, 0), (FRAME, FRAME), (2 * FRAME, 2 * FRAME)]


def test_missing_decoding_times_of_reordered_pictures_are_made_up_rising() -> None:
    clock = StreamClock(TICK, 90.0)
    clock.anchor([(0, 100.0), (FRAME, 100.04)])
    filled = clock.fill_first([(3 * FRAME, None), (1 * FRAME, None), (2 * FRAME, 4 * FRAME)])
    assert [dts for _, dts in filled] == sorted(dts for _, dts in filled)


def test_no_times_at_all_give_an_even_rhythm() -> None:
    clock = StreamClock(TICK, 90.0)
    assert clock.fill_first([(None, None)] * 3) == [(0, 0), (FRAME, FRAME), (7200, 7200)]
    stamps = [clock.stamp(None, None, 100.0 + n * 0.04) for n in range(3)]
    assert [b.dts - a.dts for a, b in pairwise(stamps)] == [FRAME, FRAME]


@pytest.mark.parametrize("jump", [-(10**12), -500_000, 500_000, 10**15])
def test_a_jump_of_the_cameras_clock_does_not_show(jump: int) -> None:
    clock = anchored()
    for n in range(10):
        clock.stamp(n * FRAME, n * FRAME, 100.0 + n * 0.04)
    after = [clock.stamp(t, t, 100.0 + n * 0.04) for n in range(10, 20) for t in [n * FRAME + jump]]
    expected = [100.0 + n * 0.04 for n in range(10, 20)]
    assert [stamp.monotonic_s for stamp in after] == pytest.approx(expected, abs=0.001)


def test_a_gap_of_camera_and_arrival_alike_stays_a_gap() -> None:
    clock = anchored()
    before = clock.stamp(0, 0, 100.0)
    after = clock.stamp(30 * 90_000, 30 * 90_000, 130.0)
    assert after.monotonic_s - before.monotonic_s == pytest.approx(30.0)


def test_drift_is_followed_slowly() -> None:
    clock = anchored()
    shown_s = []
    for second in range(1, 400):
        camera_s = second * 1.0001
        ticks = round(camera_s * 90_000)
        clock.follow(100.0 + second - camera_s, 100.0 + second)
        shown_s.append(clock.stamp(ticks, ticks, 100.0 + second).monotonic_s - 100.0 - second)
    assert max(map(abs, shown_s)) < 0.001


def test_a_lasting_large_lag_moves_the_anchor_and_a_passing_one_does_not() -> None:
    clock = anchored()
    assert clock.follow(105.0, 200.0) == 0.0
    assert clock.follow(100.0, 201.0) == 0.0
    assert clock.follow(105.0, 202.0) == 0.0
    assert clock.follow(105.0, 204.0) == pytest.approx(5.0)
    assert clock.stamp(FRAME, FRAME, 204.0).monotonic_s == pytest.approx(105.04)


def test_within_the_doubt_nothing_is_corrected() -> None:
    clock = anchored()
    clock.follow(100.0, 100.0)
    assert clock.follow(100.03, 110.0, doubt_s=0.04) == 0.0
    assert clock.follow(100.03, 120.0) > 0.0


Times = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(-90_000, 900_000))


@settings(max_examples=300)
@given(
    st.lists(st.tuples(Times, Times, st.floats(0, 3)), min_size=1, max_size=80),
    st.sampled_from([TICK, Fraction(1, 8000), Fraction(1, 1000), Fraction(1, 25)]),
)
def test_attack_class_25_any_time_stamps_become_rising_ones_near_the_arrival(
    packets: list[tuple[int | None, int | None, float]], time_base: Fraction
) -> None:
    clock, now_s, last = StreamClock(time_base, 70.0), 100.0, None
    for pts, dts, pause_s in packets:
        now_s += pause_s
        stamp = clock.stamp(pts, dts, now_s)
        assert stamp.pts >= stamp.dts
        assert last is None or stamp.dts > last.dts
        assert stamp.monotonic_s < now_s + JUMP_S + 2.0 + len(packets) * float(time_base) + 0.1
        last = stamp
