"""What happens to the whole picture: light, view, cover, standstill. None of it is motion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from vigilar_core.media import MotionKind
from vigilar_motion.grid import Levels, Luma, Mask, Sample, local, middle, weight

#: Memory of the recent past, of the settled scene, and of its detail.
_RECENT_S, _SETTLED_S, _DETAIL_S = 1.0, 60.0, 300.0
#: A block is disturbed when it changes by this many levels, or this many levels of luma, beyond
#: the median; the picture is, when half its blocks are. A jump of the median alone (26 levels are
#: 20 %) disturbs nothing, since the methods take it out, but is worth telling.
_BLOCK_LEVELS, _BLOCK_LUMA = 10.0, 4.0
_DISTURBED_SHARE, _JUMP_LEVELS = 0.5, 26.0
#: The picture has settled after this long without disturbance; it is judged no later than the
#: second, and taken as it is after the third.
_SETTLE_S, _JUDGE_S, _GIVE_UP_S = 0.6, 4.0, 30.0
#: Correlation of structure above which two pictures show the same view.
_SAME_VIEW = 0.35
#: Structure weaker than this many levels cannot be compared.
_FLAT_LEVELS = 1.5
#: Detail below this part of the usual for this long means that the lens sees nothing.
_LOST_DETAIL, _REGAINED_DETAIL, _COVERED_S = 0.35, 0.6, 3.0
_DETAIL_INTERVAL_S = 1.0
#: Identical pictures for this long, a key frame among them; without one, a coder that skips what is
#: still may be the reason. A camera that never showed noise gets the longest time.
_FROZEN_S, _FROZEN_NO_KEY_S, _NEVER_LIVELY_S = 8.0, 30.0, 60.0
#: Regions of at least this many blocks are tested for being mere light.
_LIGHT_BLOCKS, _LIGHT_CORRELATION = 10, 0.85


@dataclass(frozen=True, slots=True)
class SceneEdge:
    """A change of the scene starts or has ended; of light and view both at once."""

    kind: MotionKind
    edge: Literal["start", "end"]
    confidence: float


class SceneMonitor:
    """Watches the whole picture of one camera.

    :param shape: rows and columns of blocks
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._recent: Levels | None = None
        self._settled = np.zeros(shape, np.float32)
        self._disturbance = _Disturbance()
        self._jump = _Disturbance()
        self._judged_now = False
        self._cover = _CoverWatch()
        self._standstill = _StandstillWatch()

    @property
    def steady(self) -> bool:
        """Whether the last picture can be judged for motion."""
        return not (self._disturbance.under_way or self._judged_now)

    def update(self, sample: Sample) -> list[SceneEdge]:
        """Take in a picture.

        :returns: edges of ``light_change``, ``view_changed``, ``camera_covered``,
            ``picture_frozen``
        """
        if self._recent is None:
            self._adopt(sample)
        assert self._recent is not None
        edges = self._standstill.update(sample) + self._cover.update(sample)
        shift, share = _changed(sample, self._recent)
        disturbed = share > _DISTURBED_SHARE
        self._judged_now = self._disturbance.update(sample.time_s, disturbed)
        if self._judged_now:
            edges += self._judge(sample)
        elif self._jump.update(sample.time_s, abs(shift) > _JUMP_LEVELS) and self.steady:
            edges += _moment(MotionKind.LIGHT_CHANGE, 1.0)
        self._learn(sample)
        return edges

    def is_light(self, sample: Sample, blocks: Mask) -> bool:
        """Whether a region only became lighter or darker: its texture is still that of the scene.

        Small regions and regions without texture are never taken for light.
        """
        if np.count_nonzero(blocks) < _LIGHT_BLOCKS:
            return False
        before, now = local(self._settled, 3)[blocks], local(sample.levels, 3)[blocks]
        return _correlation(before, now) > _LIGHT_CORRELATION

    def _judge(self, sample: Sample) -> list[SceneEdge]:
        """Same view in another light, or another view: by share of change and by structure."""
        _, share = _changed(sample, self._settled)
        before, now = local(self._settled, 5), local(sample.levels, 5)
        correlation = _correlation(before.ravel(), now.ravel())
        if share > _DISTURBED_SHARE and correlation < _SAME_VIEW:
            return _moment(MotionKind.VIEW_CHANGED, 1.0 - max(0.0, correlation))
        return _moment(MotionKind.LIGHT_CHANGE, max(0.5, correlation))

    def _learn(self, sample: Sample) -> None:
        assert self._recent is not None
        share = np.float32(weight(sample.interval_s, _RECENT_S))
        self._recent += (sample.levels - self._recent) * share
        if self.steady:
            slow = np.float32(weight(sample.interval_s, _SETTLED_S))
            self._settled += (sample.levels - self._settled) * slow
        elif self._disturbance.judged:
            self._adopt(sample)

    def _adopt(self, sample: Sample) -> None:
        self._recent = sample.levels.copy()
        self._settled = sample.levels.copy()


def _moment(kind: MotionKind, confidence: float) -> list[SceneEdge]:
    return [SceneEdge(kind, "start", confidence), SceneEdge(kind, "end", confidence)]


def _changed(sample: Sample, past: Levels) -> tuple[float, float]:
    """Median change against the past, and the share of blocks that changed beyond it."""
    difference = sample.levels - past
    shift = middle(difference)
    limit = np.maximum(sample.slope * np.float32(_BLOCK_LUMA), np.float32(_BLOCK_LEVELS))
    changed = np.abs(difference - shift) > limit
    return float(shift), float(np.count_nonzero(changed)) / changed.size


class _Disturbance:
    """When a change of the whole picture began, and when it is over."""

    def __init__(self) -> None:
        self.under_way = False
        self.judged = False
        self._began_s = 0.0
        self._last_s = 0.0

    def update(self, time_s: float, disturbed: bool) -> bool:
        """Take in whether the picture is disturbed now.

        :returns: whether the time has come to judge what happened, once for each disturbance
        """
        if disturbed:
            if not self.under_way:
                self.under_way, self.judged, self._began_s = True, False, time_s
            self._last_s = time_s
        if not self.under_way:
            return False
        settled = time_s - self._last_s >= _SETTLE_S
        if settled or time_s - self._began_s >= _GIVE_UP_S:
            self.under_way = False
        if self.judged or not (settled or time_s - self._began_s >= _JUDGE_S):
            return False
        self.judged = True
        return True


class _CoverWatch:
    """Notices that the picture has lost its detail: covered, sprayed, defocused, blinded."""

    def __init__(self) -> None:
        self._usual = 0.0
        self._age_s = 0.0
        self._looked_s: float | None = None
        self._poor_since_s: float | None = None
        self._covered = False

    def update(self, sample: Sample) -> list[SceneEdge]:
        previous_s = self._looked_s
        if previous_s is not None and sample.time_s - previous_s < _DETAIL_INTERVAL_S:
            return []
        self._looked_s = sample.time_s
        detail = _detail(sample.image)
        if previous_s is None:
            self._usual = detail
            return []
        if detail >= self._usual * (_REGAINED_DETAIL if self._covered else _LOST_DETAIL):
            return self._clear(detail, sample.time_s - previous_s)
        if self._poor_since_s is None:
            self._poor_since_s = sample.time_s
        if self._covered or sample.time_s - self._poor_since_s < _COVERED_S:
            return []
        self._covered = True
        lost = 1.0 - detail / self._usual
        return [SceneEdge(MotionKind.CAMERA_COVERED, "start", lost)]

    def _clear(self, detail: float, interval_s: float) -> list[SceneEdge]:
        self._age_s += interval_s
        share = weight(interval_s, min(_DETAIL_S, max(self._age_s, 1.0)))
        self._usual += (detail - self._usual) * share
        self._poor_since_s = None
        if not self._covered:
            return []
        self._covered = False
        return [SceneEdge(MotionKind.CAMERA_COVERED, "end", 1.0)]


class _StandstillWatch:
    """Notices that the very same picture comes again and again: no sensor is without noise."""

    def __init__(self) -> None:
        self._means: Luma | None = None
        self._rows: Luma | None = None
        self._since_s = 0.0
        self._lively = False
        self._key_seen = False
        self._frozen = False

    def update(self, sample: Sample) -> list[SceneEdge]:
        if self._same(sample):
            self._key_seen |= sample.is_key
            if self._frozen or sample.time_s - self._since_s < self._limit_s():
                return []
            self._frozen = True
            return [SceneEdge(MotionKind.PICTURE_FROZEN, "start", 1.0)]
        self._lively = self._rows is not None
        self._means, self._rows = sample.means, sample.image[::8].copy()
        self._since_s = sample.time_s
        self._key_seen = False
        if not self._frozen:
            return []
        self._frozen = False
        return [SceneEdge(MotionKind.PICTURE_FROZEN, "end", 1.0)]

    def _limit_s(self) -> float:
        if not self._lively:
            return _NEVER_LIVELY_S
        return _FROZEN_S if self._key_seen else _FROZEN_NO_KEY_S

    def _same(self, sample: Sample) -> bool:
        """Compare the means first: they differ in every picture of a living camera."""
        if self._rows is None or self._means is None:
            return False
        if not np.array_equal(sample.means, self._means):
            return False
        return np.array_equal(sample.image[::8], self._rows)


def _detail(image: Luma) -> float:
    """Contrast of the clearest twentieth of the picture's edges, relative to its brightness."""
    small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    edges = cv2.absdiff(small[:, 2:], small[:, :-2])
    counts = np.bincount(edges.ravel(), minlength=256)
    clear = int(np.searchsorted(np.cumsum(counts), 0.95 * edges.size))
    brightness = float(small.mean())
    return clear / (brightness + 16.0)


def _correlation(first: Levels, second: Levels) -> float:
    """Pearson's correlation; 0.0 where one of them has no structure to compare."""
    a, b = first - first.mean(), second - second.mean()
    power_a, power_b = float((a * a).mean()), float((b * b).mean())
    if min(power_a, power_b) < _FLAT_LEVELS**2:
        return 0.0
    return float((a * b).mean()) / math.sqrt(power_a * power_b)
