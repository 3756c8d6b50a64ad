from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_camera_rtsp.back_off import HEALTHY_S, LONGEST_S, PAUSE_S, BackOff


def pauses(back_off: BackOff, tries: int, lasted_s: float = 0.0) -> list[float]:
    now_s, found = 100.0, []
    for _ in range(tries):
        began_s, failed_s = now_s, now_s + lasted_s
        now_s = back_off.next_try(began_s, failed_s, 0.0)
        found.append(now_s - failed_s)
    return found


def test_pauses_double_up_to_the_cap() -> None:
    assert pauses(BackOff(1.0, lambda: 0.0), 5) == [1.0, 2.0, 3.0, 3.0, 3.0]


def test_chance_shortens_pauses() -> None:
    assert pauses(BackOff(1.0, lambda: 1.0), 2) == pytest.approx([0.7, 1.4])


def test_time_spent_on_a_try_counts() -> None:
    assert pauses(BackOff(1.0, lambda: 0.0), 3, lasted_s=5.0) == [PAUSE_S] * 3


def test_a_longer_first_pause_is_its_own_cap() -> None:
    assert pauses(BackOff(20.0, lambda: 0.0), 3) == [20.0] * 3


def test_a_healthy_time_starts_from_the_beginning() -> None:
    back_off = BackOff(1.0, lambda: 0.0)
    pauses(back_off, 4)
    assert back_off.next_try(0.0, 1000.0, HEALTHY_S) == 1001.0
    assert back_off.next_try(1001.0, 1001.0, 0.0) == 1003.0


@given(
    st.floats(0.05, LONGEST_S),
    st.lists(st.tuples(st.floats(0, 30), st.floats(0, 1), st.floats(0, 20)), max_size=40),
)
def test_a_try_always_comes_and_never_later_than_the_cap(
    first_s: float, steps: list[tuple[float, float, float]]
) -> None:
    chances = iter([chance for _, chance, _ in steps])
    back_off, now_s = BackOff(first_s, lambda: next(chances)), 0.0
    for lasted_s, _, healthy_s in steps:
        failed_s = now_s + lasted_s
        due_s = back_off.next_try(now_s, failed_s, healthy_s)
        assert failed_s + PAUSE_S <= due_s <= failed_s + LONGEST_S
        now_s = due_s
