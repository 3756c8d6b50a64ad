"""Method ``blocks``: temporal difference of block means, checked against a slow background.

A block moves when it differs both from the picture of about a second ago and from the slow
background. The first condition keeps a parked car from being motion for ever; the second keeps
the place that a person has just left from being motion. Light is removed twice: the
median of the logarithmic difference (exposure, clouds), then its smooth part (lamps out of view,
shadows with soft edges).
"""

from __future__ import annotations

import numpy as np

from vigilar_motion.clutter import Clutter
from vigilar_motion.grid import Levels, Mask, Sample, local, middle, weight
from vigilar_motion.method import ChangeMap
from vigilar_motion.noise import NoiseMap

#: Memory of the recent past and of the background.
_RECENT_S, _BACKGROUND_S = 2.0, 30.0
#: Thresholds in standard deviations of the block's own noise: in time, against the background.
_RECENT_SIGMAS = 5.0
_BACKGROUND_SIGMAS = 3.0
#: No threshold is below this many levels of luma: rounding and the coder's quantiser.
_FLOOR_LUMA = 2.0
#: A weak block reaches this part of the threshold.
_WEAK = 0.5
#: Median of the magnitude of a normal variable, in standard deviations.
_MEDIAN_MAGNITUDE = 0.6745


class BlockMethod:
    """See the module.

    :param shape: rows and columns of blocks
    :param block_area_px: pixels of a block
    :param reluctance: factor on the thresholds
    """

    def __init__(self, shape: tuple[int, int], block_area_px: int, reluctance: float) -> None:
        self._block_area_px = block_area_px
        self._reluctance = reluctance
        self._recent: Levels | None = None
        self._background = np.zeros(shape, np.float32)
        self._sure = np.zeros(shape, np.bool_)
        self._recent_noise = NoiseMap(shape)
        self._background_noise = NoiseMap(shape)
        self._clutter = Clutter()
        self._now = _Difference.none(shape)

    def changes(self, sample: Sample) -> ChangeMap:
        if self._recent is None:
            self.adopt(sample)
        assert self._recent is not None
        floor = sample.slope * np.float32(_FLOOR_LUMA)
        now = _Difference(
            *self._compare(sample, self._recent, self._recent_noise, _RECENT_SIGMAS, floor),
            *self._compare(
                sample, self._background, self._background_noise, _BACKGROUND_SIGMAS, floor
            ),
        )
        self._now = now
        strength = now.recent / now.recent_limit
        weak = strength > _WEAK
        present = weak & (now.background > now.background_limit * np.float32(_WEAK))
        self._sure = sure = (strength > 1.0) & (now.background > now.background_limit)
        return ChangeMap(strength, weak, sure, present, self._block_area_px)

    def learn(self, sample: Sample, moving: Mask) -> None:
        assert self._recent is not None
        now, interval_s = self._now, sample.interval_s
        self._recent_noise.learn(now.recent, now.recent_limit, moving, interval_s)
        self._background_noise.learn(now.background, now.background_limit, moving, interval_s)
        self._clutter.learn(self._sure, interval_s)
        self._recent += (sample.levels - self._recent) * np.float32(weight(interval_s, _RECENT_S))
        share = np.float32(weight(interval_s, _BACKGROUND_S))
        self._background += (sample.levels - self._background) * share

    def adopt(self, sample: Sample) -> None:
        self._recent = sample.levels.copy()
        self._background = sample.levels.copy()
        self._recent_noise.forget()
        self._background_noise.forget()

    def _compare(
        self, sample: Sample, past: Levels, noise: NoiseMap, sigmas: float, floor: Levels
    ) -> tuple[Levels, Levels]:
        """Magnitude of the local difference, and the threshold for it.

        Where the whole picture is more restless than it used to be, as at a key frame of a
        low bit rate, in rain, or on a shaking mast, the thresholds of this picture rise with it.
        """
        difference = sample.levels - past
        difference -= middle(difference)
        magnitude = np.abs(local(difference))
        deviation = noise.deviation
        unrest = _middle_ratio(magnitude, deviation) / _MEDIAN_MAGNITUDE
        factor = np.float32(sigmas * max(1.0, unrest) * noise.doubt * self._clutter.factor)
        return magnitude, np.maximum(floor, deviation * factor) * np.float32(self._reluctance)


def _middle_ratio(magnitude: Levels, deviation: Levels) -> float:
    part = (magnitude[::3, ::3] / deviation[::3, ::3]).ravel()
    return float(np.partition(part, part.size // 2)[part.size // 2])


class _Difference:
    """The comparison last made, kept for learning from it."""

    __slots__ = ("background", "background_limit", "recent", "recent_limit")

    def __init__(
        self, recent: Levels, recent_limit: Levels, background: Levels, background_limit: Levels
    ) -> None:
        self.recent = recent
        self.recent_limit = recent_limit
        self.background = background
        self.background_limit = background_limit

    @classmethod
    def none(cls, shape: tuple[int, int]) -> _Difference:
        zeros = np.zeros(shape, np.float32)
        return cls(zeros, zeros, zeros, zeros)
