from __future__ import annotations

import av
import numpy as np
import pytest

from vigilar_camera_rtsp.picture import colour, luma, picture_size


def gradient(format: str, width: int = 322, height: int = 180) -> av.VideoFrame:
    row = np.linspace(16, 235, width).astype(np.uint8)
    grey = np.repeat(row[None], height, axis=0)
    return av.VideoFrame.from_ndarray(grey, "gray").reformat(format=format)


@pytest.mark.parametrize("format", ["yuv420p", "yuvj420p", "nv12", "yuv422p", "yuv420p10le"])
def test_luma_of_every_format_is_the_same_picture(format: str) -> None:
    plain = luma(gradient("gray"), (322, 180)).astype(int)
    found = luma(gradient(format), (322, 180)).astype(int)
    assert found.shape == (180, 322)
    assert np.abs(found - plain).mean() < 12
    assert (np.diff(found[0].astype(int)) >= -2).all()


def test_luma_is_scaled_to_the_size_asked_for() -> None:
    assert luma(gradient("yuv420p"), (64, 36)).shape == (36, 64)


def test_luma_in_its_own_size_is_no_copy() -> None:
    picture = gradient("yuv420p", 320)
    assert not luma(picture, (320, 180)).flags.owndata


def test_colour_is_bgr_and_no_wider_than_allowed() -> None:
    assert colour(gradient("yuv420p"), 640).shape == (180, 322, 3)
    assert colour(gradient("yuv420p"), 160).shape == (88, 160, 3)


def test_garbage_has_no_size() -> None:
    assert picture_size("h264", b"", bytes(5000)) is None
    assert picture_size("hevc", b"\x00\x00\x00\x01\x40", b"\x00\x00\x00\x01\x26\x01") is None
