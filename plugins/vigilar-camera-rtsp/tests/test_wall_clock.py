from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vigilar_camera_rtsp.wall_clock import WallClock
from vigilar_core.testing import FakeClock

DAY_S = 86_400


def reading(clock: FakeClock) -> tuple[float, int]:
    return clock.monotonic_s(), clock.time_us()


def test_it_agrees_with_the_clock_it_was_read_from() -> None:
    clock = FakeClock()
    wall = WallClock(*reading(clock))
    clock.advance(12.5)
    assert wall.time_us(clock.monotonic_s()) == clock.time_us()


def test_a_jump_of_the_wall_clock_is_followed_at_once() -> None:
    clock = FakeClock()
    wall = WallClock(*reading(clock))
    for jump_s in (30 * DAY_S, -30 * DAY_S):
        clock.advance(0.2)
        clock.jump(jump_s)
        assert wall.update(*reading(clock))
        assert wall.time_us(clock.monotonic_s()) == clock.time_us()


def test_a_small_difference_is_followed_slowly() -> None:
    clock = FakeClock()
    wall = WallClock(*reading(clock))
    clock.jump(0.1)
    clock.advance(1.0)
    assert not wall.update(*reading(clock))
    assert clock.time_us() - wall.time_us(clock.monotonic_s()) == 99_000


@given(st.lists(st.floats(-0.4, 0.4), min_size=1, max_size=50))
def test_without_jumps_its_time_never_runs_backwards(steerings_s: list[float]) -> None:
    clock = FakeClock()
    wall = WallClock(*reading(clock))
    last_us = wall.time_us(clock.monotonic_s())
    for steering_s in steerings_s:
        clock.advance(0.2)
        clock.jump(steering_s - (clock.time_us() - wall.time_us(clock.monotonic_s())) / 1e6)
        assert not wall.update(*reading(clock))
        now_us = wall.time_us(clock.monotonic_s())
        assert now_us > last_us
        last_us = now_us
