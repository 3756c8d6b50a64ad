"""Keys of ``[[cameras]]`` that belong to the analysis of motion."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from vigilar_core.config import SettingsModel
from vigilar_motion.options import MethodName, MotionOptions, NamedZone

Corner = tuple[float, float]


def _polygon(points: tuple[Corner, ...]) -> tuple[Corner, ...]:
    """What can be said without knowing the size of the picture; the rest at the attachment."""
    values = [value for corner in points for value in corner]
    if min(values) < 0:
        raise ValueError("corners must not be negative: 0 to 1, or pixels of resolution_motion")
    if len(set(points)) < 3:
        raise ValueError("a zone needs three different corners")
    return points


Polygon = Annotated[
    tuple[Corner, ...], Field(min_length=3, max_length=64), AfterValidator(_polygon)
]


class Zone(SettingsModel):
    """A part of the picture with a name, told with each motion that touches it."""

    name: str = Field(min_length=1, max_length=64, description="Name of the zone")
    points: Polygon = Field(description="Corners [x, y]: 0 to 1, or pixels of resolution_motion")


class MotionSettings(SettingsModel):
    """What counts as motion in a camera's picture."""

    method: MethodName = Field(
        "blocks",
        description="How change is found: blocks (differences of block means) or mog2 (OpenCV)",
    )
    motion_sensitivity: float = Field(
        0.7, ge=0, le=1, description="Higher finds fainter motion; each 0.4 doubles or halves it"
    )
    motion_min_area_px: int = Field(
        500, ge=1, description="Changed area below this is ignored, pixels of resolution_motion"
    )
    motion_zones: tuple[Polygon, ...] = Field(
        (), max_length=32, description="Polygons where motion counts; empty: everywhere"
    )
    zones: tuple[Zone, ...] = Field(
        (), max_length=32, description="Named parts of the picture, told with each motion"
    )

    def model_post_init(self, _context: Any, /) -> None:
        self.options()

    def options(self) -> MotionOptions:
        """The detector's options.

        :raises ValueError: two zones share a name
        """
        return MotionOptions(
            method=self.method,
            sensitivity=self.motion_sensitivity,
            min_area_px=self.motion_min_area_px,
            motion_zones=self.motion_zones,
            zones=tuple(NamedZone(zone.name, zone.points) for zone in self.zones),
        )
