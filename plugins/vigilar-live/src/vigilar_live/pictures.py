"""Single pictures from the frame ring as JPEG, at a bounded rate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2

from vigilar_core.frames import FrameReader
from vigilar_core.media import Frame

BOUNDARY = "vigilar-picture"
_QUALITY = 75


def jpeg(frame: Frame, width_px: int) -> bytes:
    """A frame as JPEG, no wider than ``width_px``."""
    pixels = frame.pixels
    height, width = pixels.shape[:2]
    if width > width_px:
        size = (width_px, round(height * width_px / width))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype("uint8")
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()


class PictureSource:
    """The newest picture of a camera: colour where there is one, else luma."""

    def __init__(self, frames_dir: Path, camera: str) -> None:
        self._colour = FrameReader(frames_dir, camera, "bgr24")
        self._luma = FrameReader(frames_dir, camera, "gray8")

    def latest(self) -> Frame | None:
        return self._colour.latest() or self._luma.latest()

    def close(self) -> None:
        self._colour.close()
        self._luma.close()


def picture_parts(
    source: PictureSource,
    *,
    fps: int,
    width_px: int,
    patience_s: float,
    keep: Callable[[], None],
) -> Iterator[bytes]:
    """Parts of a multipart body, at most ``fps`` a second.

    :param patience_s: ends after this long without a new picture, so that the browser shows
        an error instead of an old picture
    :param keep: called each turn, to say that somebody watches
    """
    pause, waited_s = threading.Event(), 0.0
    while waited_s < patience_s:
        keep()
        if (frame := source.latest()) is not None:
            waited_s = 0.0
            body = jpeg(frame, width_px)
            head = (
                f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            yield head.encode() + body + b"\r\n"
        pause.wait(1 / fps)
        waited_s += 1 / fps
