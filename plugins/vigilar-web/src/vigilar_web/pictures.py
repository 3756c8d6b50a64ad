"""Pictures beside events, where a plugin keeps some."""

from __future__ import annotations

from flask import current_app, url_for

from vigilar_web.household import Happening

#: Views of the recorder: a JPEG of, and the way to, what a camera saw at a moment.
THUMBNAIL = "recordings.thumbnail_at"
RECORDING = "recordings.at"
_WITH_PICTURE = ("motion", "recording")


def thumbnail_of(happening: Happening) -> str | None:
    """Address of a small picture of what a camera saw; it may turn out not to be there."""
    return _address(THUMBNAIL, happening)


def recording_of(happening: Happening) -> str | None:
    """Address of the recording that shows what happened."""
    return _address(RECORDING, happening)


def _address(endpoint: str, happening: Happening) -> str | None:
    shown = happening.camera and happening.event.kind.startswith(_WITH_PICTURE)
    if not shown or endpoint not in current_app.view_functions:
        return None
    return url_for(endpoint, camera_id=happening.camera, time_us=happening.event.time_us)
