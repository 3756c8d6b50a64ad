"""Keys of ``[live]``."""

from __future__ import annotations

from pydantic import Field

from vigilar_core.config import SettingsModel


class LiveOptions(SettingsModel):
    """How live pictures are made and how many may watch."""

    fragment_ms: int = Field(
        default=100,
        ge=20,
        le=1000,
        description="Length of a live fragment in milliseconds; shorter means less delay.",
    )
    segment_s: float = Field(
        default=2.0,
        ge=1.0,
        le=10.0,
        description="Least length of an HLS segment in seconds; each begins with a key frame.",
    )
    segments: int = Field(
        default=6, ge=3, le=60, description="How many HLS segments a playlist keeps."
    )
    hls_always: bool = Field(
        default=False,
        description="Write HLS segments also while nobody watches, for players of other programs.",
    )
    picture_fps: int = Field(
        default=5, ge=1, le=15, description="Single pictures a second sent to one MJPEG viewer."
    )
    picture_width_px: int = Field(
        default=960, ge=160, le=3840, description="Greatest width of single pictures in pixels."
    )
    max_viewers: int = Field(
        default=32, ge=1, le=128, description="Viewers of live pictures at the same time."
    )
