from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vigilar_core.runtime.clock_watch import ClockWatch
from vigilar_core.testing import FakeClock


def test_time_that_passes_is_no_jump() -> None:
    clock = FakeClock()
    watch = ClockWatch(clock)
    clock.advance(86400)
    assert watch.jump_s() is None


@given(st.one_of(st.floats(2.01, 2_592_000), st.floats(-2_592_000, -2.01)))
def test_a_clock_that_is_set_is_told_once_with_its_size(jump_s: float) -> None:
    clock = FakeClock()
    watch = ClockWatch(clock)
    clock.advance(5)
    clock.jump(jump_s)
    told = watch.jump_s()
    assert told is not None and abs(told - jump_s) < 0.001
    assert watch.jump_s() is None


def test_slow_drift_is_followed_silently() -> None:
    clock = FakeClock()
    watch = ClockWatch(clock)
    for _ in range(100):
        clock.advance(1)
        clock.jump(0.5)
        assert watch.jump_s() is None
