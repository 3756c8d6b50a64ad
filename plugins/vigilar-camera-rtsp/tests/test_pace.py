from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_camera_rtsp.pace import Pace


def taken(camera_fps: float, fps: float, seconds: float = 20.0) -> int:
    pace = Pace()
    return sum(pace.take(n / camera_fps, fps) for n in range(round(seconds * camera_fps)))


@pytest.mark.parametrize("camera_fps", [12.5, 15, 25, 30])
@pytest.mark.parametrize("fps", [1, 2, 4, 5, 7, 10])
def test_the_rate_is_met_whatever_the_cameras_rate(camera_fps: float, fps: float) -> None:
    assert taken(camera_fps, fps) == pytest.approx(20 * fps, abs=2)


def test_a_rate_above_the_cameras_takes_everything() -> None:
    assert taken(25, 60) == 500


def test_after_a_gap_the_next_moment_is_taken_and_nothing_is_made_up_for() -> None:
    pace = Pace()
    assert pace.take(0.0, 2)
    assert pace.take(60.0, 2)
    assert not pace.take(60.2, 2)


def test_a_change_to_a_higher_rate_takes_effect_at_once() -> None:
    pace = Pace()
    assert pace.take(0.0, 0.2)
    assert pace.take(0.1, 25)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0.5, 60))
def test_no_sequence_of_moments_blocks_it_for_ever(moments: list[float], fps: float) -> None:
    pace = Pace()
    for at_s in moments:
        pace.take(at_s, fps)
    last = moments[-1]
    assert any(pace.take(last + n / fps, fps) for n in range(1, 4))
