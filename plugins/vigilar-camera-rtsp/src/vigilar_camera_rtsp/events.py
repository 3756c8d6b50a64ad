"""The events that a source publishes."""

from __future__ import annotations

from vigilar_core.bus import topics
from vigilar_core.events import EventKind, Severity

EVENT_KINDS = (
    EventKind(
        "camera_online",
        "vigilar/camera/{camera}/online",
        Severity.INFO,
        "Camera {name} is online",
        "{codec} {width}×{height}.",
    ),
    EventKind(
        "camera_offline",
        "vigilar/camera/{camera}/offline",
        Severity.WARNING,
        "Camera {name} is offline",
        "{reason}. Nothing is seen or recorded there until it returns.",
    ),
    EventKind(
        "camera_stalled",
        "vigilar/camera/{camera}/stalled",
        Severity.WARNING,
        "Camera {name} sends nothing",
        "{reason}. Nothing is seen or recorded there until it returns.",
    ),
    EventKind(
        "camera_stream_changed",
        "vigilar/camera/{camera}/stream/changed",
        Severity.NOTICE,
        "Camera {name} sends another picture",
        "Now {codec} {width}×{height}.",
    ),
    EventKind(
        "camera_detect_lost",
        "vigilar/camera/{camera}/detect/lost",
        Severity.NOTICE,
        "Camera {name}: second stream lost",
        "{reason}. Motion is looked for in the main stream.",
    ),
    EventKind(
        "camera_detect_restored",
        "vigilar/camera/{camera}/detect/restored",
        Severity.INFO,
        "Camera {name}: second stream is back",
        "{codec} {width}×{height}.",
    ),
)


def online(camera_id: str) -> str:
    return topics.camera(camera_id, "online")


def offline(camera_id: str) -> str:
    return topics.camera(camera_id, "offline")


def stalled(camera_id: str) -> str:
    return topics.camera(camera_id, "stalled")


def stream_changed(camera_id: str) -> str:
    return topics.camera(camera_id, "stream", "changed")


def detect_lost(camera_id: str) -> str:
    return topics.camera(camera_id, "detect", "lost")


def detect_restored(camera_id: str) -> str:
    return topics.camera(camera_id, "detect", "restored")


def state(camera_id: str) -> str:
    """Where the present state is kept, retained."""
    return topics.camera(camera_id, "state")
