"""Polygons: checked, brought to relative coordinates, laid over blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_motion.options import NamedZone
from vigilar_motion.zones import ZoneMap, polygon_mask, relative_polygon

SIZE, SHAPE = (640, 360), (45, 80)
part = st.floats(0.0, 1.0)


@st.composite
def rectangles(draw: st.DrawFn) -> tuple[float, float, float, float]:
    x, y = draw(st.floats(0.0, 0.8)), draw(st.floats(0.0, 0.8))
    return x, y, draw(st.floats(x + 0.1, 1.0)), draw(st.floats(y + 0.1, 1.0))


def corners(box: tuple[float, float, float, float]) -> list[tuple[float, float]]:
    x0, y0, x1, y1 = box
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


@given(rectangles())
def test_pixels_and_relative_coordinates_mean_the_same_zone(
    box: tuple[float, float, float, float],
) -> None:
    relative = corners(box)
    pixels = [(x * SIZE[0], y * SIZE[1]) for x, y in relative]
    np.testing.assert_allclose(relative_polygon(pixels, SIZE), relative_polygon(relative, SIZE))


@given(rectangles())
def test_a_mask_holds_the_middles_of_blocks_inside_and_none_outside(
    box: tuple[float, float, float, float],
) -> None:
    mask = polygon_mask(relative_polygon(corners(box), SIZE), SHAPE)
    rows, columns = np.indices(SHAPE)
    x, y = (columns + 0.5) / SHAPE[1], (rows + 0.5) / SHAPE[0]
    x0, y0, x1, y1 = box
    step_x, step_y = 1 / SHAPE[1], 1 / SHAPE[0]
    inside = (x > x0 + step_x) & (x < x1 - step_x) & (y > y0 + step_y) & (y < y1 - step_y)
    outside = (x < x0 - step_x) | (x > x1 + step_x) | (y < y0 - step_y) | (y > y1 + step_y)
    assert mask[inside].all()
    assert not mask[outside].any()


@given(st.lists(st.tuples(part, part), max_size=2))
def test_fewer_than_three_corners_are_refused(points: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="at least three corners"):
        relative_polygon(points, SIZE)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([(0, 0), (641, 0), (10, 10)], "outside the picture"),
        ([(-0.1, 0), (1, 0), (1, 1)], "outside the picture"),
        ([(0, 0), (0.5, 0.5), (1, 1)], "on one line"),
        ([(0, 0), (float("nan"), 0.5), (1, 1)], "finite"),
    ],
)
def test_a_polygon_that_makes_no_sense_is_refused(
    points: list[tuple[float, float]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        relative_polygon(points, SIZE)


def test_the_message_names_the_zone() -> None:
    with pytest.raises(ValueError, match="zone 'door'"):
        ZoneMap((), (NamedZone("door", [(0, 0), (2, 2)]),), SIZE, SHAPE)
    with pytest.raises(ValueError, match=r"motion_zones\[1\]"):
        ZoneMap(([(0, 0), (1, 0), (1, 1)], [(0, 0)]), (), SIZE, SHAPE)


def test_a_zone_smaller_than_a_block_still_claims_one() -> None:
    tiny = [(0.501, 0.501), (0.503, 0.501), (0.503, 0.504)]
    assert polygon_mask(relative_polygon(tiny, SIZE), SHAPE).sum() >= 1


def test_zones_touched_are_told_in_the_order_given() -> None:
    left, right = corners((0.0, 0.0, 0.5, 1.0)), corners((0.5, 0.0, 1.0, 1.0))
    zones = ZoneMap((), (NamedZone("right", right), NamedZone("left", left)), SIZE, SHAPE)
    blocks = np.zeros(SHAPE, np.bool_)
    assert zones.touched(blocks) == ()
    blocks[20, 10] = True
    assert zones.touched(blocks) == ("left",)
    blocks[20, 70] = True
    assert zones.touched(blocks) == ("right", "left")


def test_motion_counts_everywhere_without_zones_and_in_their_union_with_them() -> None:
    left, right = corners((0.0, 0.0, 0.25, 1.0)), corners((0.75, 0.0, 1.0, 1.0))
    assert ZoneMap((), (), SIZE, SHAPE).active is None
    active = ZoneMap((left, right), (), SIZE, SHAPE).active
    assert active is not None
    assert active[:, :20].all() and active[:, 60:].all() and not active[:, 20:60].any()
