"""The picture as a grid of blocks: the scale at which motion and scene are judged."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
Levels = NDArray[np.float32]
Mask = NDArray[np.bool_]

#: Blocks across the width of a picture; 640 pixels make blocks of 8 × 8.
_ACROSS = 80
#: Added to luma before the logarithm: black level and stray light of a camera.
_PEDESTAL = 16.0
#: Luma at which one level of log brightness is one level of luma.
_MIDDLE = 128.0

_luma = np.arange(256, dtype=np.float64)
_LOG = (np.log(_luma + _PEDESTAL) * (_MIDDLE + _PEDESTAL)).astype(np.float32)
_SLOPE = ((_MIDDLE + _PEDESTAL) / (_luma + _PEDESTAL)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture, prepared once for everything that looks at it.

    :param image: height × width, luma
    :param means: mean luma per block
    :param levels: logarithm of the means, scaled to luma levels at mid-grey, so that a change of
        light by a factor is a change by a constant everywhere
    :param slope: levels per level of luma, per block: large where it is dark
    :param time_s: monotonic
    :param interval_s: since the sample before; 0.0 for the first
    :param is_key: whether it was coded without reference to others
    """

    image: Luma
    means: Luma
    levels: Levels
    slope: Levels
    time_s: float
    interval_s: float
    is_key: bool = True


class BlockGrid:
    """Divides pictures of one size into square blocks.

    Rows and columns of pixels that fill no block are left out at the right and bottom.

    :param height: pixels
    :param width: pixels
    :raises ValueError: the picture is too small for four blocks each way
    """

    def __init__(self, height: int, width: int) -> None:
        self.size = (width, height)
        self.block_px = max(2, round(width / _ACROSS / 2) * 2)
        self.shape = (height // self.block_px, width // self.block_px)
        if min(self.shape) < 4:
            raise ValueError(f"a picture of {width}×{height} is too small to find motion in")
        self._covered = (self.shape[0] * self.block_px, self.shape[1] * self.block_px)

    @property
    def block_area_px(self) -> int:
        return self.block_px * self.block_px

    def crop(self, image: Luma) -> Luma:
        """The part of the picture that the blocks cover."""
        height, width = self._covered
        return image[:height, :width]

    def means(self, image: Luma) -> Luma:
        """Mean of each block; OpenCV halves much faster than it divides by any other number."""
        means, left_px = self.crop(image), self.block_px
        while left_px > 1:
            step_px = 2 if left_px % 2 == 0 else left_px
            size = (means.shape[1] // step_px, means.shape[0] // step_px)
            means = np.asarray(cv2.resize(means, size, interpolation=cv2.INTER_AREA), np.uint8)
            left_px //= step_px
        return means

    def sample(self, image: Luma, time_s: float, interval_s: float, is_key: bool = True) -> Sample:
        """Prepare a picture of this grid's size."""
        means = self.means(image)
        levels = np.asarray(cv2.LUT(means, _LOG), np.float32)
        slope = np.asarray(cv2.LUT(means, _SLOPE), np.float32)
        return Sample(image, means, levels, slope, time_s, interval_s, is_key)


def middle(levels: Levels) -> np.float32:
    """Median of a ninth of the blocks, which is enough to follow the light of the whole."""
    part = levels[::3, ::3].ravel()
    return np.float32(np.partition(part, part.size // 2)[part.size // 2])


def factor_of(levels: np.float32) -> float:
    """The factor of light that a difference in levels stands for."""
    return float(np.exp(levels / (_MIDDLE + _PEDESTAL)))


def local(levels: Levels, reach: int = 9) -> Levels:
    """What differs from the surroundings: a change of light is smooth, a thing has edges.

    :param reach: width of the surroundings in blocks
    """
    return levels - cv2.blur(levels, (reach, reach), borderType=cv2.BORDER_REFLECT)


def weight(interval_s: float, constant_s: float) -> float:
    """Share of a new sample in a running mean, so that its memory is a time, not a count."""
    return float(1.0 - np.exp(-interval_s / constant_s))
