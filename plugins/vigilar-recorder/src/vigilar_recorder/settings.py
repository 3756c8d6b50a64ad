"""The keys of the configuration that belong to recordings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vigilar_core.config import ConfigSection, SettingsModel
from vigilar_recorder.policy import Coverage, RecordingRules


class CameraRecording(SettingsModel):
    """Keys of ``[[cameras]]``: when this camera is recorded and for how long it is kept."""

    record_on_motion: bool = Field(True, description="Record while something moves")
    record_continuous: bool = Field(
        False, description="Also record while nothing moves, as `continuous` says"
    )
    continuous: Literal["keyframes", "full"] = Field(
        "keyframes",
        description="What record_continuous keeps while nothing moves: one picture every few "
        "seconds at a few percent of the space, or everything",
    )
    pre_motion_buffer_s: float = Field(
        5, ge=0, le=120, description="Seconds kept from before a trigger"
    )
    post_motion_buffer_s: float = Field(
        30,
        ge=0,
        le=3600,
        description="Seconds recorded after the last movement; movements closer together than "
        "this share one recording",
    )
    max_recording_s: float = Field(
        900,
        ge=10,
        le=86_400,
        description="Longest recording in seconds; a longer one goes on in another file without "
        "a gap",
    )
    pre_motion_buffer_mb: int = Field(
        64, ge=1, le=4096, description="Most memory that the seconds before a trigger may take, MB"
    )
    retention_days: float = Field(
        30, ge=0, description="Days until a recording is deleted unless starred; 0 keeps all"
    )

    def rules(self) -> RecordingRules:
        """What these keys mean to the policy."""
        idle = Coverage.NOTHING
        if self.record_continuous:
            idle = Coverage.EVERYTHING if self.continuous == "full" else Coverage.KEY_FRAMES
        return RecordingRules(
            pre_roll_s=self.pre_motion_buffer_s,
            post_roll_s=self.post_motion_buffer_s,
            on_motion=self.record_on_motion,
            idle=idle,
            max_recording_s=self.max_recording_s,
        )


class RecordingStorage(SettingsModel):
    """Keys of ``[storage]``: how recordings lie on the disk."""

    encrypt_recordings: bool = Field(
        True,
        description="Encrypt new recordings and thumbnails; existing ones stay as they are",
    )


SECTIONS = (
    ConfigSection("cameras", CameraRecording, many=True),
    ConfigSection("storage", RecordingStorage),
)
