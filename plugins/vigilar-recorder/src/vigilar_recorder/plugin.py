"""The hooks of the recorder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vigilar_core.config import ConfigSection, Settings
from vigilar_core.context import CameraContext, Service, ServiceContext
from vigilar_core.errors import NotReadyError
from vigilar_core.events import EventKind
from vigilar_core.health import Health, HealthState
from vigilar_core.hookspecs import hookimpl
from vigilar_core.store import Tables
from vigilar_core.web import WebContext, WebPart
from vigilar_recorder.event_kinds import EVENT_KINDS
from vigilar_recorder.settings import SECTIONS

if TYPE_CHECKING:
    from vigilar_recorder.retention import Retention


class RecorderPlugin:
    """Imports in each process only what that process needs: a camera's worker no SQLAlchemy."""

    def __init__(self) -> None:
        #: Only in the process of the service, not in those of the cameras.
        self._retention: Retention | None = None
        self._waits = False

    @hookimpl
    def register_config(self) -> Sequence[ConfigSection]:
        return SECTIONS

    @hookimpl
    def register_services(self, settings: Settings) -> Sequence[Service]:
        # For the cameras' processes: each has a recorder of its own.
        preload = ("vigilar_recorder.camera_recorder",)
        return [Service("recorder", beat_timeout_s=60.0, poll_interval_s=15.0, preload=preload)]

    @hookimpl
    def register_event_kinds(self) -> Sequence[EventKind]:
        return EVENT_KINDS

    @hookimpl
    def register_tables(self) -> Tables | None:
        from vigilar_recorder.tables import TABLES

        return TABLES

    @hookimpl
    def register_blueprint(self, web: WebContext) -> Sequence[WebPart]:
        from vigilar_recorder.pages import parts

        return parts(web)

    @hookimpl
    def camera_attach(self, camera: CameraContext) -> object | None:
        from vigilar_recorder.camera_recorder import CameraRecorder

        return CameraRecorder(camera)

    @hookimpl
    def poll(self, context: ServiceContext) -> None:
        from vigilar_recorder.retention import Retention

        if self._retention is None:
            try:
                self._retention = Retention(context)
            except NotReadyError:
                self._waits = True
                return  # The ledger migrates the database first; there is no hurry.
        self._retention.poll()

    @hookimpl
    def health_check(self) -> Health:
        if self._retention is not None:
            return self._retention.health()
        if self._waits:
            return Health(HealthState.DEGRADED, "old recordings wait until the database is ready")
        return Health()


plugin = RecorderPlugin()
