"""The whole detector on drawn pictures: what it must find, and what it must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from vigilar_motion.options import MotionOptions, NamedZone

Make = Callable[..., Any]


@pytest.mark.parametrize("fps", [0.5, 2.0, 5.0, 15.0])
def test_a_walker_is_one_start_and_one_end(camera: Any, walking: Make, fps: float) -> None:
    camera.changes.append(walking(14.0, seconds=7.0))
    camera.play(40.0, fps)
    assert len(camera.edges("start")) == len(camera.edges("end")) == 1
    assert 14.0 <= camera.edges("start")[0] <= 14.0 + 1.0 + 1.5 / fps


@pytest.mark.parametrize("noise", [1.0, 4.0, 9.0])
def test_noise_alone_is_not_motion(camera: Any, noise: float) -> None:
    camera.noise = noise
    camera.play(40.0)
    assert camera.edges("start") == []
    assert camera.kinds() == []


def test_a_small_figure_of_low_contrast_is_found(blocks_camera: Any, walking: Make) -> None:
    blocks_camera.background[:] = 90.0
    blocks_camera.changes.append(walking(15.0, 10.0, luma=72.0, size=(8, 20)))
    blocks_camera.play(40.0)
    assert len(blocks_camera.edges("start")) == 1


def test_slow_drift_of_the_light_is_not_motion(camera: Any) -> None:
    camera.changes.append(lambda picture, t: picture * np.float32(1 + 0.2 * np.sin(t / 6)))
    camera.play(60.0)
    assert camera.edges("start") == []


def test_somebody_who_stands_still_and_leaves_leaves_no_ghost(blocks_camera: Any) -> None:
    def apply(picture: Any, time_s: float) -> Any:
        x = np.interp(time_s, [14, 18, 38, 42], [0, 150, 150, 304])
        if 14 <= time_s <= 42:
            picture[80:124, int(x) : int(x) + 16] = 20.0
        return picture

    blocks_camera.changes.append(apply)
    blocks_camera.play(80.0)
    assert [start < 42.5 for start in blocks_camera.edges("start")] == [True, True]
    assert blocks_camera.edges("end")[-1] < 42 + 5 + 6


def test_a_car_that_parks_becomes_background(blocks_camera: Any) -> None:
    def apply(picture: Any, time_s: float) -> Any:
        if time_s >= 14:
            x = int(np.interp(time_s, [14, 18], [0, 200]))
            picture[100:140, x : x + 80] = 220.0
        return picture

    blocks_camera.changes.append(apply)
    blocks_camera.play(70.0)
    assert len(blocks_camera.edges("start")) == 1
    assert blocks_camera.edges("end")[0] < 40


def test_flicker_of_key_frames_is_learnt(blocks_camera: Any) -> None:
    pump = np.random.default_rng(3).normal(0, 5, (22, 40)).astype(np.float32)
    pump = cv2.resize(pump, (320, 180), interpolation=cv2.INTER_NEAREST)
    blocks_camera.changes.append(
        lambda picture, t: picture + pump * np.float32(1.0 if t % 2.0 < 0.15 else 0.0)
    )
    blocks_camera.play(60.0)
    assert [start for start in blocks_camera.edges("start") if start > 10] == []


def test_a_thing_too_fast_to_be_real_is_not_motion(blocks_camera: Any) -> None:
    def insect(picture: Any, time_s: float) -> Any:
        part = (time_s - 20.0) / 0.5
        if 0.0 <= part <= 1.0:
            x = int(part * 280)
            picture[60:80, x : x + 40] = 250.0
        return picture

    blocks_camera.changes.append(insect)
    blocks_camera.play(40.0, fps=10.0)
    assert blocks_camera.edges("start") == []


def test_a_shadow_with_a_soft_edge_is_not_motion(blocks_camera: Any) -> None:
    columns = np.arange(320, dtype=np.float32)

    def cloud(picture: Any, time_s: float) -> Any:
        front = (time_s - 20.0) * 50.0
        return picture * (1 - 0.25 / (1 + np.exp((columns - front) / 25)))

    blocks_camera.changes.append(cloud)
    blocks_camera.play(45.0)
    assert blocks_camera.edges("start") == []


def test_motion_outside_the_motion_zones_is_not_reported(with_options: Make, walking: Make) -> None:
    sky = [(0.0, 0.0), (1.0, 0.0), (1.0, 0.3), (0.0, 0.3)]
    ground = [(0.0, 0.4), (1.0, 0.4), (1.0, 1.0), (0.0, 1.0)]
    found = {}
    for name, zone in (("sky", sky), ("ground", ground)):
        camera = with_options(MotionOptions(motion_zones=(zone,)))
        camera.changes.append(walking(14.0))
        camera.play(30.0)
        found[name] = len(camera.edges("start"))
    assert found == {"sky": 0, "ground": 1}


def test_zones_are_named_as_they_are_touched(with_options: Make, walking: Make) -> None:
    left = NamedZone("left", [(0, 0), (0.4, 0), (0.4, 1), (0, 1)])
    right = NamedZone("right", [(0.6, 0), (1, 0), (1, 1), (0.6, 1)])
    camera = with_options(MotionOptions(zones=(left, right)))
    camera.changes.append(walking(14.0))
    camera.play(40.0)
    start, end = (result.edge for _, result in camera.results if result.edge)
    assert start.sighting.zones == ("left",)
    assert end.sighting.zones == ("left", "right")


def test_boxes_are_where_the_walker_is(camera: Any, walking: Make) -> None:
    camera.changes.append(walking(14.0, seconds=7.0))
    camera.play(17.4)
    box = camera.results[-1][1].boxes[0]
    middle = (camera.results[-1][0] - 14.0) / 7.0 * 304 + 8
    assert box.x * 320 - 12 <= middle <= (box.x + box.width) * 320 + 12
    assert abs((box.y + box.height / 2) * 180 - 102) < 16


def test_sensitivity_decides_over_a_faint_walker(with_options: Make, walking: Make) -> None:
    starts = []
    for sensitivity in (0.0, 1.0):
        camera = with_options(MotionOptions(sensitivity=sensitivity))
        camera.background[:] = 100.0
        camera.changes.append(walking(15.0, 10.0, luma=91.0))
        camera.play(40.0)
        starts.append(len(camera.edges("start")))
    assert starts == [0, 1]


def test_the_least_area_decides_over_a_small_walker(with_options: Make, walking: Make) -> None:
    starts = []
    for area_px in (500, 40000):
        camera = with_options(MotionOptions(min_area_px=area_px))
        camera.changes.append(walking(15.0))
        camera.play(30.0)
        starts.append(len(camera.edges("start")))
    assert starts == [1, 0]


def test_asks_for_more_pictures_while_something_moves(blocks_camera: Any, walking: Make) -> None:
    blocks_camera.changes.append(walking(14.0))
    blocks_camera.play(40.0)
    wanted = {round(at_s): result.wants_faster for at_s, result in blocks_camera.results}
    assert wanted[17] and not wanted[12] and not wanted[38]


def test_pictures_out_of_order_change_nothing(blocks_camera: Any, walking: Make) -> None:
    blocks_camera.changes.append(walking(14.0))
    blocks_camera.play(13.0)
    late = np.zeros((180, 320), np.uint8)
    assert blocks_camera.detector.update(late, 1000.0).edge is None
    blocks_camera.play(20.0)
    assert len(blocks_camera.edges("start")) == 1
    assert blocks_camera.kinds() == []


def test_another_size_of_picture_starts_anew(blocks_camera: Any) -> None:
    blocks_camera.play(10.0)
    larger = np.random.default_rng(0).integers(0, 255, (360, 640), dtype=np.uint8)
    result = blocks_camera.detector.update(larger, blocks_camera.time_s)
    assert result.edge is None and result.wants_faster


def test_a_long_gap_makes_what_was_learnt_stale(blocks_camera: Any, other_view: Any) -> None:
    blocks_camera.play(10.0)
    blocks_camera.time_s += 120.0
    blocks_camera.background = other_view
    blocks_camera.play(20.0)
    assert blocks_camera.edges("start") == [] and blocks_camera.kinds() == []


@pytest.mark.parametrize(
    "image", [np.zeros((180, 320, 3), np.uint8), np.zeros((180, 320), np.float32)]
)
def test_a_picture_that_is_not_grey_bytes_is_refused(blocks_camera: Any, image: Any) -> None:
    with pytest.raises(ValueError, match="grey picture"):
        blocks_camera.detector.update(image, 2000.0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sensitivity": 1.2}, "sensitivity"),
        ({"min_area_px": 0}, "min_area_px"),
        ({"zones": (NamedZone("a", ()), NamedZone("a", ()))}, "share a name"),
    ],
)
def test_options_out_of_range_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MotionOptions(**changed)
