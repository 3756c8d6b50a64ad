"""Small things that move all over the picture at once: snow, hail, a swarm at the lens."""

from __future__ import annotations

import math

import cv2
import numpy as np

from vigilar_motion.grid import Mask

#: Sure blocks closer than this belong together.
_NEAR = np.ones((5, 5), np.uint8)
#: So many groups of sure blocks are a few people and a dog; more are weather.
_GROUPS = 6
#: The factor grows by e in this time while there is weather, and falls back by e in that.
_RISE_S, _FALL_S = 2.0, 60.0
_MOST = 6.0


class Clutter:
    """Factor on the thresholds that keeps the number of small changes in a picture low."""

    def __init__(self) -> None:
        self.factor = 1.0

    def learn(self, sure: Mask, interval_s: float) -> None:
        """Take in where something surely was in the last picture."""
        if groups(sure) > _GROUPS:
            self.factor = min(_MOST, self.factor * math.exp(min(1.0, interval_s / _RISE_S)))
        else:
            self.factor = 1.0 + (self.factor - 1.0) * math.exp(-interval_s / _FALL_S)


def groups(sure: Mask) -> int:
    """Number of groups of sure blocks, those close together counted as one."""
    if np.count_nonzero(sure) <= _GROUPS:
        return 0
    count, _ = cv2.connectedComponents(cv2.dilate(sure.astype(np.uint8), _NEAR))
    return count - 1
