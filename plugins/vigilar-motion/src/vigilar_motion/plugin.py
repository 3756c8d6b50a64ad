"""The hooks of motion. OpenCV is imported only where pictures are looked at."""

from __future__ import annotations

from collections.abc import Sequence

from vigilar_core.config import ConfigSection
from vigilar_core.context import CameraContext
from vigilar_core.events import EventKind
from vigilar_core.hookspecs import hookimpl
from vigilar_motion.event_kinds import EVENT_KINDS
from vigilar_motion.settings import SECTIONS


@hookimpl
def register_config() -> Sequence[ConfigSection]:
    return SECTIONS


@hookimpl
def register_event_kinds() -> Sequence[EventKind]:
    return EVENT_KINDS


@hookimpl
def camera_attach(camera: CameraContext) -> object | None:
    import cv2

    from vigilar_motion.analyser import MotionAnalyser

    cv2.setNumThreads(1)
    return MotionAnalyser(camera)
