"""What the recorder tells the house."""

from __future__ import annotations

from vigilar_core.bus import topics
from vigilar_core.events import EventKind, Severity


def topic(camera: str, what: str) -> str:
    """Topic of an event of a camera's recordings."""
    return topics.camera(camera, "recording", what)


def request_topic(camera: str) -> str:
    """Where recording is asked for: ``{"action": "start", "who": …, "duration_s": …}``."""
    return topics.camera(camera, "record")


def state_topic(camera: str) -> str:
    """Whether the camera is being recorded, retained."""
    return topics.camera(camera, "recording")


def _kind(
    what: str, severity: Severity, title: str, text: str = "", *, timeline: bool
) -> EventKind:
    return EventKind(
        f"recording_{what}",
        f"vigilar/camera/{{camera}}/recording/{what}",
        severity,
        title,
        text,
        timeline,
    )


EVENT_KINDS = (
    _kind("started", Severity.DEBUG, "Recording of {camera} began", "Because of: {trigger}.",
          timeline=False),
    _kind("sealed", Severity.INFO, "{camera} recorded",
          "{duration_s} seconds because of: {trigger}.", timeline=True),
    _kind("failed", Severity.WARNING, "A recording of {camera} failed", "{reason}", timeline=True),
    _kind("resumed", Severity.NOTICE, "{camera} is recorded again", timeline=True),
    _kind("sound_left_out", Severity.NOTICE, "{camera} is recorded without sound", "{reason}",
          timeline=True),
    _kind("starred", Severity.DEBUG, "A recording of {camera} was starred or unstarred",
          "By {who}.", timeline=False),
    _kind("deleted", Severity.INFO, "A recording of {camera} was deleted", "{reason}",
          timeline=False),
)  # fmt: skip
