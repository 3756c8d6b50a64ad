"""What this package registers with Vigilar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vigilar_camera_rtsp.events import EVENT_KINDS
from vigilar_camera_rtsp.settings import CameraSource
from vigilar_core.config import ConfigSection, Settings
from vigilar_core.config.core import Camera
from vigilar_core.context import Service, ServiceContext
from vigilar_core.events import EventKind
from vigilar_core.health import Health, HealthState
from vigilar_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from vigilar_camera_rtsp.camera_loop import CameraLoop
    from vigilar_core.store import Tables

_PREFIX = "camera:"
_BEAT_TIMEOUT_S = 10.0
_PRELOAD = (
    "av",
    "cv2",
    "numpy",
    "vigilar_camera_rtsp.camera_loop",
    "vigilar_camera_rtsp.rtsp_input",
)
_WORST_FIRST = (HealthState.FAILED, HealthState.DEGRADED, HealthState.OK)


class CameraPlugin:
    """The source of pictures: one service for each camera."""

    def __init__(self) -> None:
        self._loops: dict[str, CameraLoop] = {}

    @hookimpl
    def register_config(self) -> Sequence[ConfigSection]:
        return [ConfigSection("cameras", CameraSource, many=True)]

    @hookimpl
    def register_services(self, settings: Settings) -> Sequence[Service]:
        return [_service(settings, camera_id) for camera_id in settings.items("cameras")]

    @hookimpl
    def register_event_kinds(self) -> Sequence[EventKind]:
        return EVENT_KINDS

    @hookimpl
    def register_tables(self) -> Tables:
        from vigilar_camera_rtsp.tables import declare_tables

        return declare_tables()

    @hookimpl
    def service_run(self, context: ServiceContext) -> None:
        camera_id = context.service.name.removeprefix(_PREFIX)
        loop = self._loops[camera_id] = _create_loop(context, camera_id)
        try:
            next_turn_s = 0.0
            while context.wait(max(0.0, next_turn_s - context.clock.monotonic_s())):
                # A message wakes the wait early; the sockets are left alone until their turn.
                if context.clock.monotonic_s() >= next_turn_s:
                    loop.turn()
                    next_turn_s = context.clock.monotonic_s() + loop.pause_s()
        finally:
            del self._loops[camera_id]
            loop.close()

    @hookimpl
    def health_check(self) -> Health:
        answers = [loop.health() for loop in self._loops.values()]
        return min(answers, key=lambda a: _WORST_FIRST.index(a.state), default=Health())


def _service(settings: Settings, camera_id: str) -> Service:
    source = settings.item("cameras", camera_id, CameraSource)
    # Two streams may each wait once for a camera that falls silent within a picture.
    beat_timeout_s = max(_BEAT_TIMEOUT_S, 2 * source.read_timeout_s + 1)
    return Service(
        _PREFIX + camera_id, beat_timeout_s=beat_timeout_s, preload=_PRELOAD, inline=True
    )


def _create_loop(context: ServiceContext, camera_id: str) -> CameraLoop:
    from vigilar_camera_rtsp.camera_loop import CameraLoop
    from vigilar_camera_rtsp.reporter import Reporter

    camera = context.settings.item("cameras", camera_id, Camera)
    settings = context.settings.item("cameras", camera_id, CameraSource)
    reporter = Reporter(context.bus, camera_id, camera.title, camera.location.value)
    return CameraLoop(context.camera(camera_id), settings, context.clock, reporter)


plugin = CameraPlugin()
