"""How much each block varies when nothing happens."""

from __future__ import annotations

import numpy as np

from vigilar_motion.grid import Levels, Mask, weight

#: Memory of the estimate while it rises or falls by ordinary samples.
_MEMORY_S = 20.0
#: Samples inside motion count this much: a person does not become noise, a swaying branch does.
_MOVING_SHARE = 0.1
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
        self._age_s = 0.0

    @property
    def deviation(self) -> Levels:
        """Levels per block; smoothed towards no less than half the picture's median."""
        power = self._power
        floor = 0.25 * float(np.partition(power[::2, ::2].ravel(), power[::2, ::2].size // 2)
                             [power[::2, ::2].size // 2])
        return np.sqrt(np.maximum(power, np.float32(floor)))

    def learn(self, difference: Levels, limit: Levels, moving: Mask, interval_s: float) -> None:
        """Take a sample in.

        :param difference: levels, magnitude
        :param limit: thresholds in force, levels
        :param moving: blocks inside motion
        :param interval_s: time the sample stands for
        """
        self._age_s += interval_s
        share = weight(interval_s, min(_MEMORY_S, max(self._age_s, 1.0)))
        clipped = np.minimum(difference, limit)
        step = (clipped * clipped - self._power) * np.float32(share)
        if moving.any():
            step[moving] *= np.float32(_MOVING_SHARE)
        self._power += step
