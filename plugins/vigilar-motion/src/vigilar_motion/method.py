"""The protocol between a way to find changes and the detector that judges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vigilar_motion.grid import Levels, Mask, Sample


@dataclass(frozen=True, slots=True)
class ChangeMap:
    """What changed in a picture, per block.

    :param strength: 1.0 is exactly at the threshold
    :param weak: blocks that belong to a change if a sure one is next to them, also where a thing
        was a moment ago
    :param sure: blocks in which a thing is now, beyond doubt
    :param present: weak blocks in which a thing is now
    :param block_area_px: pixels of a block
    """

    strength: Levels
    weak: Mask
    sure: Mask
    present: Mask
    block_area_px: int


class ChangeMethod(Protocol):
    """A way to find changes; keeps what it has learnt of the camera."""

    def changes(self, sample: Sample) -> ChangeMap:
        """Compare a picture with what was learnt."""

    def learn(self, sample: Sample, moving: Mask) -> None:
        """Take the picture last compared into what was learnt.

        :param moving: blocks that the detector took for motion
        """

    def adopt(self, sample: Sample) -> None:
        """Forget the background and start anew from this picture, as after a change of light."""
