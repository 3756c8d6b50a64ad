"""What views work with: the web's side of :class:`vigilar_core.web.WebContext`, and its rooms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import sqlalchemy as sa
from flask import Flask, current_app, g

from vigilar_core.bus import Bus
from vigilar_core.clock import Clock
from vigilar_core.config import Settings
from vigilar_core.events import EventCatalogue
from vigilar_core.paths import Paths
from vigilar_core.web import NavigationEntry
from vigilar_web.accounts import Accounts
from vigilar_web.camera_states import CameraStates
from vigilar_web.event_log import EventLog
from vigilar_web.household import Household
from vigilar_web.hub import EventHub
from vigilar_web.lockout import Lockout
from vigilar_web.sessions import Sessions
from vigilar_web.settings import WebSettings
from vigilar_web.setup_token import SetupToken
from vigilar_web.streams import StreamSlots

_EXTENSION = "vigilar"


@dataclass
class Web:
    """The surroundings of every view.

    :param host_names: names this server may be called by
    :param key: gives the storage key, or raises ``NotReadyError``
    """

    settings: Settings
    bus: Bus
    clock: Clock
    catalogue: EventCatalogue
    paths: Paths
    database: sa.Engine
    key: Callable[[], bytes]
    host_names: Sequence[str] = ("localhost",)
    navigation: list[NavigationEntry] = field(default_factory=list)
    broken_parts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.own: WebSettings = self.settings.section(WebSettings)
        self.accounts = Accounts(self.database, self.own, self.clock)
        self.sessions = Sessions(
            self.database, self.accounts, self.clock, timeout_s=self.own.session_timeout
        )
        self.lockout = Lockout(self.database, self.clock)
        self.setup_token = SetupToken(self.paths.runtime_dir / "web")
        self.hub = EventHub()
        self.events = EventLog(self.database, self.catalogue)
        self.streams = StreamSlots()
        self.household = Household(self.settings, self.catalogue, self.clock)
        self.camera_states = CameraStates(self.clock)
        self.needs_set_up = not self.accounts.has_administrator()

    @property
    def engine(self) -> sa.Engine:
        return self.database

    def storage_key(self) -> bytes:
        return self.key()

    def may_see(self, camera_id: str) -> bool:
        person = g.get("person")
        return person is not None and person.may_see(camera_id)

    def user_name(self) -> str:
        person = g.get("person")
        return "" if person is None else person.name

    def waits_for_set_up(self) -> bool:
        """Whether there is no administrator yet; one may be added from the command line."""
        if self.needs_set_up and self.accounts.has_administrator():
            self.needs_set_up = False
        return self.needs_set_up

    def attach(self, app: Flask) -> None:
        """Make this the surroundings of an application's views."""
        app.extensions[_EXTENSION] = self


def current_web() -> Web:
    """The surroundings of the present request."""
    return cast(Web, current_app.extensions[_EXTENSION])
