"""What can be set about the detection of motion, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

#: Names of the two ways to find changed parts of a picture.
MethodName = Literal["blocks", "mog2"]
#: Corners of a polygon: relative (0 to 1) or pixels of the motion resolution.
Polygon = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class NamedZone:
    """A part of the picture with a name, told with each motion that touches it."""

    name: str
    points: Polygon


@dataclass(frozen=True, slots=True)
class EdgeTiming:
    """How hits become edges; all in seconds.

    :param warm_up_s: nothing is reported for so long after a start: the background is being learnt
    :param warm_up_pictures: nor before so many pictures
    :param confirm_s: a thing must be seen for so long, where pictures come fast enough to wait
    :param window_s: hits older than this no longer confirm each other
    :param sparse_interval_s: frames further apart than this do not wait for a confirmation
        when the first hit is strong
    :param hold_s: motion ends after this long without a hit
    :param minimum_s: a motion is at least this long
    """

    warm_up_s: float = 2.0
    warm_up_pictures: int = 4
    confirm_s: float = 0.15
    window_s: float = 1.0
    sparse_interval_s: float = 0.75
    hold_s: float = 5.0
    minimum_s: float = 1.0


@dataclass(frozen=True, slots=True)
class MotionOptions:
    """Settings of one camera's detector.

    :param sensitivity: 0 to 1; each 0.4 less doubles the contrast a change must have
    :param min_area_px: a thing whose box is smaller is ignored; pixels of the motion resolution
    :param motion_zones: where motion counts; everywhere when empty
    :param zones: parts of the picture with names
    :raises ValueError: a value out of range, a name used twice
    """

    method: MethodName = "blocks"
    sensitivity: float = 0.7
    min_area_px: int = 500
    motion_zones: Sequence[Polygon] = ()
    zones: Sequence[NamedZone] = ()
    timing: EdgeTiming = EdgeTiming()

    def __post_init__(self) -> None:
        if not 0.0 <= self.sensitivity <= 1.0:
            raise ValueError(f"sensitivity {self.sensitivity} is outside 0 to 1")
        if self.min_area_px < 1:
            raise ValueError(f"min_area_px {self.min_area_px} must be at least 1")
        names = [zone.name for zone in self.zones]
        if len(set(names)) != len(names):
            raise ValueError(f"two zones share a name: {', '.join(sorted(names))}")

    @property
    def reluctance(self) -> float:
        """Factor on every threshold of contrast; 1.0 at the default sensitivity."""
        return float(2.0 ** (2.5 * (0.7 - self.sensitivity)))
