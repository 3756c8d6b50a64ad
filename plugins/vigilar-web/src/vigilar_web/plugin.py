"""What this plugin declares and runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vigilar_core.config import ConfigSection, Settings
from vigilar_core.context import Service, ServiceContext
from vigilar_core.events import EventKind
from vigilar_core.health import Health
from vigilar_core.hookspecs import hookimpl
from vigilar_core.store import Tables
from vigilar_web import guests
from vigilar_web.kinds import KINDS
from vigilar_web.settings import WebSettings

if TYPE_CHECKING:
    from vigilar_web.service import WebService


class WebPlugin:
    """The web as a plugin; holds the one service of its process."""

    def __init__(self) -> None:
        self._service: WebService | None = None

    @hookimpl
    def register_config(self) -> Sequence[ConfigSection]:
        return [ConfigSection("web", WebSettings)]

    @hookimpl
    def register_services(self, settings: Settings) -> Sequence[Service]:
        return [Service("web", beat_timeout_s=15.0, hosts=[guests.HOOK])]

    @hookimpl
    def register_event_kinds(self) -> Sequence[EventKind]:
        return KINDS

    @hookimpl
    def register_tables(self) -> Tables:
        from vigilar_web.tables import TABLES

        return TABLES

    @hookimpl
    def service_run(self, context: ServiceContext) -> None:
        from vigilar_web.service import WebService

        self._service = WebService(context)
        self._service.run()

    @hookimpl
    def health_check(self) -> Health:
        return Health() if self._service is None else self._service.health()


plugin = WebPlugin()
