"""Hooks of the live picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vigilar_core.config import ConfigSection
from vigilar_core.hookspecs import hookimpl
from vigilar_live.camera import LiveCamera
from vigilar_live.options import LiveOptions

if TYPE_CHECKING:
    from vigilar_core.context import CameraContext
    from vigilar_core.web import WebContext, WebPart


@hookimpl
def register_config() -> Sequence[ConfigSection]:
    return [ConfigSection("live", LiveOptions)]


@hookimpl
def camera_attach(camera: CameraContext) -> object:
    return LiveCamera(camera)


@hookimpl
def register_blueprint(web: WebContext) -> Sequence[WebPart]:
    # Flask and OpenCV's encoder are wanted in the web process only.
    from vigilar_live.pages import parts

    return parts(web)
