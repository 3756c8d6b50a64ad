"""Hooks of the motion plugin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vigilar_core.config import ConfigSection
from vigilar_core.events import EventKind, Severity
from vigilar_core.hookspecs import hookimpl
from vigilar_motion.settings import MotionSettings

if TYPE_CHECKING:
    from vigilar_core.context import CameraContext

_MOTION = "vigilar/camera/{camera}/motion/"
_SCENE = "vigilar/camera/{camera}/scene/"


def _scene_kinds() -> list[EventKind]:
    words = {
        "light_change": ("The light at {camera} changed", Severity.INFO),
        "view_changed": ("{camera} shows another view", Severity.WARNING),
        "camera_covered": ("{camera} is covered", Severity.WARNING),
        "picture_frozen": ("The picture of {camera} is frozen", Severity.WARNING),
    }
    found = []
    for name, (title, severity) in words.items():
        found.append(
            EventKind(
                f"{name}_start",
                f"{_SCENE}{name}/start",
                severity,
                title,
                timeline=severity is not Severity.INFO,
            )
        )
        found.append(
            EventKind(
                f"{name}_end",
                f"{_SCENE}{name}/end",
                Severity.INFO,
                f"{title}: over",
                timeline=severity is not Severity.INFO,
            )
        )
    return found


@hookimpl
def register_config() -> Sequence[ConfigSection]:
    return [ConfigSection("cameras", MotionSettings, many=True)]


@hookimpl
def register_event_kinds() -> Sequence[EventKind]:
    return [
        EventKind(
            "motion_start",
            f"{_MOTION}start",
            Severity.NOTICE,
            "Motion at {camera}",
            "Something moves in the picture.",
        ),
        EventKind(
            "motion_end",
            f"{_MOTION}end",
            Severity.INFO,
            "Motion at {camera} ended",
            timeline=False,
        ),
        *_scene_kinds(),
    ]


@hookimpl
def camera_attach(camera: CameraContext) -> object:
    # OpenCV and NumPy are wanted in a camera's worker only.
    from vigilar_motion.analyser import MotionAnalyser

    return MotionAnalyser(camera)
