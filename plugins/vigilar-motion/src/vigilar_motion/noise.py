"""How much each block varies when nothing happens."""

from __future__ import annotations

import math

import numpy as np

from vigilar_motion.grid import Levels, Mask, middle, weight

#: Memory of the estimate while it rises or falls by ordinary samples.
_MEMORY_S = 20.0
#: Samples inside motion count this much, and more the longer motion stays in a block: a person who
#: passes does not become noise, a swaying branch does.
_MOVING_SHARE = 0.05
#: An estimate is young for this long and for so many samples; it is then taken to be too low by up
#: to this factor, because rare jumps (key frames) may not have come yet.
_YOUNG_S, _YOUNG_SAMPLES, _YOUNG_FACTOR = 3.0, 4, 3.0
#: What an unknown block is taken to vary, in levels.
_FIRST_GUESS = 2.0


class NoiseMap:
    """Running root mean square of a difference, per block.

    Samples are clipped at the threshold in force, so that the estimate grows no faster than
    by a factor per memory; squares rather than magnitudes, so that rare jumps such as the
    flicker of key frames at low bit rates weigh in.

    :param shape: rows and columns of blocks
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._power = np.full(shape, _FIRST_GUESS**2, np.float32)
        self._moving = np.zeros(shape, np.float32)
        self._age_s = 0.0
        self._samples = 0

    @property
    def deviation(self) -> Levels:
        """Levels per block, nowhere less than half the middle of all."""
        floor = np.float32(0.25) * middle(self._power)
        return np.sqrt(np.maximum(self._power, floor))

    @property
    def doubt(self) -> float:
        """Factor by which the estimate may be too low, 1.0 once it is old."""
        age = min(self._age_s / _YOUNG_S, self._samples / _YOUNG_SAMPLES)
        return 1.0 + (_YOUNG_FACTOR - 1.0) * math.exp(-age)

    def learn(self, difference: Levels, limit: Levels, moving: Mask, interval_s: float) -> None:
        """Take a sample in.

        :param difference: levels, magnitude
        :param limit: thresholds in force, levels
        :param moving: blocks inside motion
        :param interval_s: time the sample stands for
        """
        self._age_s += interval_s
        self._samples += 1
        share = np.float32(weight(interval_s, min(_MEMORY_S, max(self._age_s, 1.0))))
        clipped = np.minimum(difference, limit)
        step = (clipped * clipped - self._power) * share
        self._moving += (moving - self._moving) * np.float32(weight(interval_s, _MEMORY_S))
        if moving.any():
            step[moving] *= _MOVING_SHARE + self._moving[moving]
        self._power += step

    def forget(self) -> None:
        """The view is another: know nothing, but do not expect less noise than there was."""
        np.maximum(self._power, np.float32(_FIRST_GUESS**2), out=self._power)
        self._age_s = 0.0
        self._samples = 0
