"""Method ``mog2``: adaptive Gaussian mixture per pixel.

Z. Zivkovic, "Improved adaptive Gaussian mixture model for background subtraction", ICPR 2004,
as OpenCV has it. Shadows are left out; the mask is summed up per block. The mixture knows nothing
of exposure, so the light of the whole picture is evened out before.
"""

from __future__ import annotations

import cv2
import numpy as np

from vigilar_motion.grid import BlockGrid, Levels, Luma, Mask, Sample, factor_of, middle, weight
from vigilar_motion.method import ChangeMap

#: Memory of the mixture.
_MEMORY_S = 30.0
#: Squared distance, in variances, beyond which a pixel belongs to no component (OpenCV's default).
_VARIANCES = 16.0
#: OpenCV's mark of a foreground pixel; shadows have 127.
_FOREGROUND = 255
#: Parts of a block that must be foreground for it to count as weak and as sure.
_WEAK, _SURE = 0.1, 0.4
_OPENING = np.ones((3, 3), np.uint8)


class Mog2Method:
    """See the module.

    :param grid: blocks to sum up over
    :param reluctance: factor on the distance in standard deviations
    """

    def __init__(self, grid: BlockGrid, reluctance: float) -> None:
        self._grid = grid
        self._model = cv2.createBackgroundSubtractorMOG2(
            history=500, varThreshold=_VARIANCES * reluctance**2, detectShadows=True
        )
        self._usual: Levels | None = None
        self._fresh = True

    def changes(self, sample: Sample) -> ChangeMap:
        image = self._evened(sample)
        share = 1.0 if self._fresh else weight(sample.interval_s, _MEMORY_S)
        self._fresh = False
        mask = self._model.apply(image, learningRate=share)
        _, sure = cv2.threshold(mask, _FOREGROUND - 1, 255, cv2.THRESH_BINARY)
        opened = cv2.morphologyEx(sure, cv2.MORPH_OPEN, _OPENING)
        rows, columns = self._grid.shape
        filled = cv2.resize(opened, (columns, rows), interpolation=cv2.INTER_AREA)
        part = filled.astype(np.float32) * np.float32(1 / 255)
        strength = part * np.float32(1 / _SURE)
        weak = part > _WEAK
        return ChangeMap(strength, weak, part > _SURE, weak, self._grid.block_area_px)

    def learn(self, sample: Sample, moving: Mask) -> None:
        """Nothing to do: the mixture learns while it compares."""

    def adopt(self, sample: Sample) -> None:
        self._fresh = True
        self._usual = None

    def _evened(self, sample: Sample) -> Luma:
        """The picture as bright as the background usually is."""
        if self._usual is None:
            self._usual = sample.levels.copy()
        shift = middle(sample.levels - self._usual)
        share = np.float32(weight(sample.interval_s, _MEMORY_S))
        self._usual += (sample.levels - shift - self._usual) * share
        image = self._grid.crop(sample.image)
        return np.asarray(cv2.convertScaleAbs(image, alpha=factor_of(-shift)), dtype=np.uint8)
