"""Weather raises the thresholds; a few people do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vigilar_motion.clutter import Clutter, groups

SHAPE = (45, 80)


def flakes(seed: int, count: int = 20) -> NDArray[np.bool_]:
    sure = np.zeros(SHAPE, np.bool_)
    places = np.random.default_rng(seed).permutation(40)[:count]
    sure[4 + 9 * (places // 8), 5 + 10 * (places % 8)] = True
    return sure


def test_blocks_close_together_are_one_group() -> None:
    sure = np.zeros(SHAPE, np.bool_)
    sure[10:30, 20:26:3] = True
    assert groups(sure) == 1
    assert groups(flakes(0)) == 20


def test_snow_raises_the_factor_and_its_end_lowers_it() -> None:
    clutter = Clutter()
    for number in range(30):
        clutter.learn(flakes(number), 0.2)
    risen = clutter.factor
    assert risen > 3.0
    for _ in range(5 * 240):
        clutter.learn(np.zeros(SHAPE, np.bool_), 0.2)
    assert clutter.factor == pytest.approx(1.0, abs=0.1)


def test_a_few_people_raise_nothing() -> None:
    clutter, people = Clutter(), np.zeros(SHAPE, np.bool_)
    people[10:30, 5:12] = people[20:40, 30:36] = people[15:25, 60:64] = True
    for _ in range(100):
        clutter.learn(people, 0.2)
    assert clutter.factor == 1.0


def test_snow_is_not_motion_for_long_and_a_walker_in_it_is_found(
    blocks_camera: Any, walking: Callable[..., Any]
) -> None:
    places = np.random.default_rng(8).uniform(0, 1, (60, 2))

    def snow(picture: Any, time_s: float) -> Any:
        for x, y in places:
            row = int((y + time_s * (0.2 + 0.3 * x)) % 1 * 172)
            column = int((x + 0.05 * np.sin(time_s + 9 * y)) % 1 * 312)
            picture[row : row + 6, column : column + 6] = 235.0
        return picture

    blocks_camera.changes += [walking(50.0, size=(24, 64)), snow]
    blocks_camera.play(75.0)
    quiet = [result.edge is None for at_s, result in blocks_camera.results if 30 < at_s < 50]
    assert all(quiet)
    assert [50 <= start < 54 for start in blocks_camera.edges("start")][-1]
