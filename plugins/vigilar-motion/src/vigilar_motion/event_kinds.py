"""What the analysis of motion tells the house."""

from __future__ import annotations

from vigilar_core.bus import topics
from vigilar_core.events import EventKind, Severity
from vigilar_core.media import MotionKind


def zones_refused_topic(camera: str) -> str:
    """A camera's zones do not fit its picture."""
    return topics.camera(camera, "motion", "zones_refused")


def _motion(edge: str, severity: Severity, title: str, text: str, *, timeline: bool) -> EventKind:
    topic = f"vigilar/camera/{{camera}}/motion/{edge}"
    return EventKind(f"motion_{edge}", topic, severity, title, text, timeline)


def _scene(kind: MotionKind, edge: str, severity: Severity, title: str, text: str) -> EventKind:
    topic = f"vigilar/camera/{{camera}}/scene/{kind.value}/{edge}"
    timeline = severity is not Severity.INFO
    return EventKind(f"{kind.value}_{edge}", topic, severity, title, text, timeline)


def _moment(kind: MotionKind, severity: Severity, title: str, text: str) -> tuple[EventKind, ...]:
    """A change that is over when it is noticed: only its start is for people."""
    return (
        _scene(kind, "start", severity, title, text),
        _scene(kind, "end", Severity.INFO, title, text),
    )


EVENT_KINDS = (
    _motion("start", Severity.NOTICE, "Motion at {camera}", "Zones: {zones}.", timeline=True),
    _motion("end", Severity.INFO, "{camera} is quiet again", "", timeline=False),
    *_moment(
        MotionKind.LIGHT_CHANGE,
        Severity.INFO,
        "The light changed at {camera}",
        "A lamp, the sun, or the camera's night mode.",
    ),
    *_moment(
        MotionKind.VIEW_CHANGED,
        Severity.WARNING,
        "{camera} shows another view",
        "It was turned, moved, or its picture was exchanged.",
    ),
    _scene(
        MotionKind.CAMERA_COVERED,
        "start",
        Severity.WARNING,
        "{camera} sees nothing",
        "Its lens is covered, sprayed, blinded or out of focus.",
    ),
    _scene(MotionKind.CAMERA_COVERED, "end", Severity.NOTICE, "{camera} sees again", ""),
    _scene(
        MotionKind.PICTURE_FROZEN,
        "start",
        Severity.WARNING,
        "The picture of {camera} stands still",
        "It sends the very same picture again and again.",
    ),
    _scene(MotionKind.PICTURE_FROZEN, "end", Severity.NOTICE, "{camera} is live again", ""),
    EventKind(
        "motion_zones_refused",
        "vigilar/camera/{camera}/motion/zones_refused",
        Severity.WARNING,
        "The zones of {camera} do not fit its picture",
        "{reason} Until that is mended, motion counts everywhere.",
    ),
)
