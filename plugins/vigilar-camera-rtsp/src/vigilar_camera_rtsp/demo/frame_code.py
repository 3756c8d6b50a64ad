"""The number of a frame, written into its pixels so that a test can read it back.

The code sits in the upper right corner and lives in the chroma planes alone: the luma of the strip
is flat, so an analyser of luma sees no movement while the number runs.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]

#: Blocks in a row of the code; a row is one byte, its highest bit on the left.
COLUMNS = 8
#: High byte, low byte, checksum.
ROWS = 3
#: Numbers wrap at this value.
MODULUS = 1 << 16

#: A block is this part of the picture's width.
_BLOCKS_ACROSS = 64
_STRIP_LUMA = 120
_NEUTRAL = 128
_SWING = 70
_CHECK = 0xA5


def write_frame_number(y: Plane, u: Plane, v: Plane, number: int) -> None:
    """Draw `number` modulo 65536 into the planes of a YUV 4:2:0 picture, in place.

    `y` has shape (height, width); `u` and `v` have half of both.
    """
    block = u.shape[1] / _BLOCKS_ACROSS
    bits = np.unpackbits(np.array(_code_bytes(number), np.uint8)).reshape(ROWS, COLUMNS)
    pattern = np.where(bits, _NEUTRAL + _SWING, _NEUTRAL - _SWING).astype(np.uint8)
    size = round(COLUMNS * block), round(ROWS * block)
    pattern = cv2.resize(pattern, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    height, width = pattern.shape
    y[: 2 * height, -2 * width :] = _STRIP_LUMA
    u[:height, -width:] = pattern
    v[:height, -width:] = _NEUTRAL


def read_frame_number(u: Plane) -> int | None:
    """Return the number in the first chroma plane of a YUV 4:2:0 picture, shape (rows, columns).

    None when the checksum does not agree: the picture carries no code or is damaged.
    """
    block = u.shape[1] / _BLOCKS_ACROSS
    rows = ((np.arange(ROWS) + 0.5) * block).astype(int)
    columns = (u.shape[1] - (COLUMNS - np.arange(COLUMNS) - 0.5) * block).astype(int)
    bits = (u[np.ix_(rows, columns)] > _NEUTRAL).astype(np.uint8)
    high, low, check = (int(value) for value in np.packbits(bits, axis=1).ravel())
    return None if high ^ low ^ _CHECK != check else high << 8 | low


def write_clock(y: Plane, u: Plane, v: Plane, text: str) -> None:
    """Draw `text` in the upper left corner, in colour only, in place."""
    scale = u.shape[1] / 640
    height, width = int(24 * scale), int(220 * scale)
    y[: 2 * height, : 2 * width] = _STRIP_LUMA
    u[:height, :width] = _NEUTRAL
    strip = np.full((height, width), _NEUTRAL, np.uint8)
    origin = (int(4 * scale), int(18 * scale))
    thickness = max(1, round(1.6 * scale))
    cv2.putText(strip, text, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.6 * scale, 240, thickness)
    v[:height, :width] = strip


def _code_bytes(number: int) -> tuple[int, int, int]:
    high, low = (number % MODULUS) >> 8, number & 0xFF
    return high, low, high ^ low ^ _CHECK
