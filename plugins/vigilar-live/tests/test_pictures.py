from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vigilar_core.frames import FrameWriter
from vigilar_core.media import Frame
from vigilar_live.pictures import BOUNDARY, PictureSource, jpeg, picture_parts


def frame(width: int = 640, *, colour: bool = False, sequence: int = 1) -> Frame:
    shape = (360, width, 3) if colour else (360, width)
    pixels = np.full(shape, 90, np.uint8)
    return Frame("hall", sequence, pixels, "bgr24" if colour else "gray8", 1, 1.0)


def test_a_wide_picture_is_made_smaller_and_keeps_its_shape() -> None:
    picture = cv2.imdecode(np.frombuffer(jpeg(frame(1280), 320), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[:2] == (90, 320)


def test_colour_is_preferred_to_luma(tmp_path: Path) -> None:
    luma, colour = FrameWriter(tmp_path, "hall", "gray8"), FrameWriter(tmp_path, "hall", "bgr24")
    luma.write(frame())
    colour.write(frame(colour=True))
    found = PictureSource(tmp_path, "hall").latest()
    assert found is not None
    assert found.format == "bgr24"


def test_parts_carry_a_length_and_end_when_no_picture_comes(tmp_path: Path) -> None:
    writer = FrameWriter(tmp_path, "hall", "gray8")
    writer.write(frame())
    told: list[int] = []
    parts = list(
        picture_parts(
            PictureSource(tmp_path, "hall"),
            fps=15,
            width_px=320,
            patience_s=0.3,
            keep=lambda: told.append(1),
        )
    )
    (part,) = parts
    head, _, body = part.partition(b"\r\n\r\n")
    assert head.startswith(f"--{BOUNDARY}\r\n".encode())
    assert f"Content-Length: {len(body) - 2}".encode() in head
    assert len(told) >= 4
