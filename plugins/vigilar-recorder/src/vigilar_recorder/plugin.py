"""The hooks of the recorder."""

from __future__ import annotations

from collections.abc import Sequence

from vigilar_core.config import ConfigSection
from vigilar_core.context import CameraContext
from vigilar_core.events import EventKind
from vigilar_core.hookspecs import hookimpl
from vigilar_recorder.event_kinds import EVENT_KINDS
from vigilar_recorder.settings import SECTIONS


@hookimpl
def register_config() -> Sequence[ConfigSection]:
    return SECTIONS


@hookimpl
def register_event_kinds() -> Sequence[EventKind]:
    return EVENT_KINDS


@hookimpl
def camera_attach(camera: CameraContext) -> object | None:
    from vigilar_recorder.camera_recorder import CameraRecorder  # only camera workers need it

    return CameraRecorder(camera)
