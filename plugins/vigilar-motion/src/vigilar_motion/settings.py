"""The keys of ``[[cameras]]`` that belong to motion."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from vigilar_core.config import ConfigSection, SettingsModel
from vigilar_motion.options import MethodName, MotionOptions, NamedZone

Point = tuple[float, float]
#: A zone in pixels can lie anywhere in a picture of this size; the picture's own size is not known
#: before the camera is.
_LARGEST_PX = 8192


def _polygon(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """Refuse what is a zone in no picture.

    :raises ValueError: says what is wrong with it
    """
    if len(set(points)) < 3:
        raise ValueError("a zone needs at least three different corners [x, y]")
    if any(not 0 <= value <= _LARGEST_PX for point in points for value in point):
        raise ValueError("corners lie inside the picture: 0 to 1, or pixels of resolution_motion")
    return points


Corners = Annotated[tuple[Point, ...], Field(max_length=64), AfterValidator(_polygon)]


class Zone(SettingsModel):
    """A part of the picture with a name, told with each motion that touches it."""

    name: str = Field(min_length=1, max_length=64, description="Name of the zone")
    points: Corners = Field(description="Corners [x, y]: 0 to 1, or pixels of resolution_motion")


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
    motion_zones: tuple[Corners, ...] = Field(
        (), max_length=32, description="Polygons where motion counts; empty: everywhere"
    )
    zones: tuple[Zone, ...] = Field(
        (), max_length=32, description="Named parts of the picture, told with each motion"
    )

    @model_validator(mode="after")
    def _names_differ(self) -> MotionSettings:
        names = [zone.name for zone in self.zones]
        if len(set(names)) != len(names):
            raise ValueError(f"two zones share a name: {', '.join(sorted(names))}")
        return self

    def options(self) -> MotionOptions:
        """The same, as the detector takes it."""
        return MotionOptions(
            method=self.method,
            sensitivity=self.motion_sensitivity,
            min_area_px=self.motion_min_area_px,
            motion_zones=self.motion_zones,
            zones=tuple(NamedZone(zone.name, zone.points) for zone in self.zones),
        )


SECTIONS = (ConfigSection("cameras", MotionSettings, many=True),)
