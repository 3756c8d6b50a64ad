"""Changes of the whole picture are told by their own names and are not motion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

Make = Callable[..., Any]


def shade() -> Any:
    """Lamp light from the left."""
    return (0.5 + 1.0 * np.exp(-((np.arange(320) / 160.0) ** 2))).astype(np.float32)


@pytest.mark.parametrize("fps", [0.5, 5.0, 15.0])
def test_a_lamp_is_a_change_of_light(camera: Any, fps: float) -> None:
    camera.changes.append(
        lambda picture, t: np.clip(picture * (shade() if t > 20 else np.float32(0.4)), 0, 255)
    )
    camera.play(40.0, fps)
    assert camera.edges("start") == []
    assert set(camera.kinds()) == {"light_change"}


def test_light_that_rises_as_a_whole_is_told_and_hides_no_walker(
    blocks_camera: Any, walking: Make
) -> None:
    blocks_camera.changes += [
        walking(21.0),
        lambda picture, t: picture * np.float32(0.6 if t < 20 else 0.95),
    ]
    blocks_camera.play(45.0)
    assert blocks_camera.kinds() == ["light_change"]
    assert len(blocks_camera.edges("start")) == 1
    assert 21.0 <= blocks_camera.edges("start")[0] < 22.0


def test_a_walker_is_found_soon_after_the_lamp(blocks_camera: Any, walking: Make) -> None:
    blocks_camera.changes += [
        walking(23.0),
        lambda picture, t: np.clip(picture * (shade() if t > 20 else np.float32(0.4)), 0, 255),
    ]
    blocks_camera.play(45.0)
    assert len(blocks_camera.edges("start")) == 1
    assert 23.0 <= blocks_camera.edges("start")[0] < 25.0


@pytest.mark.parametrize("fps", [0.5, 5.0])
def test_another_view_is_told(camera: Any, other_view: Any, fps: float) -> None:
    camera.changes.append(lambda picture, t: other_view if t > 20 else picture)
    camera.play(50.0, fps)
    assert camera.edges("start") == []
    assert camera.kinds() == ["view_changed"]


def test_a_camera_that_keeps_turning_is_told_while_it_turns(blocks_camera: Any) -> None:
    blocks_camera.changes.append(
        lambda picture, t: np.roll(picture, int((t - 20) * 60), axis=1) if 20 < t < 35 else picture
    )
    blocks_camera.play(34.0)
    assert "view_changed" in blocks_camera.kinds()
    assert blocks_camera.edges("start") == []


@pytest.mark.parametrize("fps", [0.5, 5.0])
def test_a_cover_over_the_lens_is_told_and_its_removal_too(camera: Any, fps: float) -> None:
    camera.changes.append(
        lambda picture, t: np.full_like(picture, 60.0) if 20 < t < 35 else picture
    )
    camera.play(50.0, fps)
    assert camera.kinds("start").count("camera_covered") == 1
    assert camera.kinds("end").count("camera_covered") == 1
    assert camera.edges("start") == []


def test_a_lens_out_of_focus_counts_as_covered(blocks_camera: Any) -> None:
    blocks_camera.changes.append(
        lambda picture, t: cv2.GaussianBlur(picture, (0, 0), 14) if t > 20 else picture
    )
    blocks_camera.play(40.0)
    assert "camera_covered" in blocks_camera.kinds()


def test_somebody_large_and_near_is_not_a_cover(blocks_camera: Any, walking: Make) -> None:
    blocks_camera.changes.append(walking(15.0, 8.0, luma=35.0, size=(110, 95)))
    blocks_camera.play(40.0)
    assert "camera_covered" not in blocks_camera.kinds()
    assert "view_changed" not in blocks_camera.kinds()
    assert len(blocks_camera.edges("start")) == 1


def test_a_frozen_picture_is_told_within_ten_seconds(blocks_camera: Any) -> None:
    blocks_camera.play(10.0)
    (_, last), *_ = blocks_camera.pictures(0.2, 5.0)
    told = [
        n / 5
        for n in range(60)
        for edge in blocks_camera.detector.update(last, blocks_camera.time_s + n / 5).scene
        if edge.kind.value == "picture_frozen"
    ]
    assert len(told) == 1 and 5.0 < told[0] <= 10.0
    blocks_camera.time_s += 12.0
    blocks_camera.play(1.0)
    assert blocks_camera.kinds("end") == ["picture_frozen"]


def test_a_coder_that_skips_what_is_still_is_not_taken_for_frozen(blocks_camera: Any) -> None:
    blocks_camera.play(10.0)
    (_, last), *_ = blocks_camera.pictures(0.2, 5.0)
    kinds = [
        edge.kind.value
        for n in range(100)
        for edge in blocks_camera.detector.update(
            last, blocks_camera.time_s + n / 5, is_key=False
        ).scene
    ]
    assert kinds == []


def test_a_still_test_pattern_is_not_taken_for_frozen_at_once(blocks_camera: Any) -> None:
    blocks_camera.noise = 0.0
    blocks_camera.play(30.0)
    assert blocks_camera.kinds() == []
    blocks_camera.play(60.0)
    assert blocks_camera.kinds() == ["picture_frozen"]
