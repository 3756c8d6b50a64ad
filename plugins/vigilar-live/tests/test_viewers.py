from __future__ import annotations

import pytest

from vigilar_core.testing import FakeBus, FakeClock
from vigilar_live.viewers import TooManyViewersError, Viewers
from vigilar_live.watching import WATCH_REPEAT_S, Mode


def test_the_camera_is_told_once_in_a_while() -> None:
    clock = FakeClock()
    bus = FakeBus(clock=clock)
    viewers = Viewers(bus, clock, limit=2)
    viewers.tell("hall", Mode.HLS)
    viewers.tell("hall", Mode.HLS)
    assert len(bus.states) == 1
    clock.advance(WATCH_REPEAT_S)
    viewers.tell("hall", Mode.HLS)
    assert [state.data for state in bus.states] == [{"mode": "hls"}] * 2


def test_each_camera_and_mode_is_told_by_itself() -> None:
    clock = FakeClock()
    bus = FakeBus(clock=clock)
    viewers = Viewers(bus, clock, limit=2)
    viewers.tell("hall", Mode.HLS)
    viewers.tell("hall", Mode.FRAGMENTS)
    viewers.tell("yard", Mode.HLS)
    assert len(bus.states) == 3


def test_a_place_is_free_again_when_its_viewer_left() -> None:
    viewers = Viewers(FakeBus(), FakeClock(), limit=1)
    with viewers.view(), pytest.raises(TooManyViewersError), viewers.view():
        pass
    with viewers.view():
        pass
