"""Blocks and their levels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_motion.grid import BlockGrid, local, middle, weight


def test_means_are_those_of_the_blocks() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (360, 640), dtype=np.uint8)
    grid = BlockGrid(360, 640)
    exact = image.reshape(45, 8, 80, 8).mean(axis=(1, 3))
    assert grid.shape == (45, 80)
    assert np.abs(grid.means(image) - exact).max() <= 1.5


@given(st.integers(64, 800), st.integers(64, 800))
def test_every_size_of_picture_has_a_grid_that_fits(height: int, width: int) -> None:
    grid = BlockGrid(height, width)
    image = np.zeros((height, width), np.uint8)
    assert grid.means(image).shape == grid.shape
    assert grid.crop(image).shape == (grid.shape[0] * grid.block_px, grid.shape[1] * grid.block_px)


def test_a_picture_of_nearly_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        BlockGrid(6, 6)


def test_a_change_of_light_by_a_factor_is_the_same_number_of_levels_everywhere() -> None:
    grid = BlockGrid(64, 64)
    luma = np.repeat(np.arange(40, 104, dtype=np.uint8)[:, None], 64, axis=1)
    before = grid.sample(luma, 0.0, 0.0).levels
    after = grid.sample(((luma.astype(int) + 16) * 2 - 16).astype(np.uint8), 1.0, 1.0).levels
    difference = after - before
    assert np.ptp(difference) < 3.0
    assert abs(float(difference.mean()) - 144 * np.log(2)) < 2.0


def test_local_removes_what_is_smooth_and_keeps_what_has_edges() -> None:
    slope = np.tile(np.linspace(0, 40, 80, dtype=np.float32), (45, 1))
    thing = np.zeros((45, 80), np.float32)
    thing[20:23, 40:43] = 40.0
    assert np.abs(local(slope))[5:-5, 5:-5].max() < 0.5
    assert local(thing)[21, 41] > 30.0


def test_middle_ignores_a_minority() -> None:
    levels = np.full((45, 80), 7.0, np.float32)
    levels[:15] = 200.0
    assert middle(levels) == 7.0


@given(st.floats(0.001, 10), st.integers(1, 20), st.floats(0.1, 100))
def test_many_small_steps_weigh_as_much_as_one_large(
    step_s: float, count: int, constant_s: float
) -> None:
    left = (1.0 - weight(step_s, constant_s)) ** count
    assert left == pytest.approx(1.0 - weight(step_s * count, constant_s), rel=1e-9, abs=1e-12)
