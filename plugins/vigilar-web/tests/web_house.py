"""A web over a real database and a fake bus."""

from __future__ import annotations

import datetime
import functools
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient

from vigilar_core.config import Camera, Secret
from vigilar_core.config.core import System
from vigilar_core.config.hashes import hash_password
from vigilar_core.events import Event, EventKind, Severity, subject_of
from vigilar_core.runtime.kinds import RUNTIME_KINDS
from vigilar_core.store.engine import DATABASE_NAME, open_engine, store_url, writing
from vigilar_core.store.migrate import migrate
from vigilar_core.store.tables import event_series, events
from vigilar_core.testing import FakeBus, FakeClock, FakeSettings
from vigilar_core.testing.camera import fake_paths
from vigilar_core.web import Role, WebPart
from vigilar_web.application import create_app
from vigilar_web.kinds import KINDS
from vigilar_web.settings import WebSettings
from vigilar_web.surroundings import Web
from vigilar_web.tables import TABLES

PASSWORD = "correct horse battery"
PASSWORD_HASH = hash_password(PASSWORD, salt=bytes(16))
COOKIE_KEY = bytes(range(32))
MOTION_KINDS = (
    EventKind(
        "motion_start",
        "vigilar/camera/{camera}/motion/start",
        Severity.NOTICE,
        "Movement at {camera}",
        "In {zones}",
    ),
    EventKind(
        "motion_end",
        "vigilar/camera/{camera}/motion/end",
        Severity.INFO,
        "{camera} is quiet again",
        timeline=False,
    ),
)
ALL_KINDS = (*KINDS, *MOTION_KINDS, *RUNTIME_KINDS)


@functools.cache
def migrated() -> bytes:
    """An empty database as the migrations leave it; made once, copied for each house."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(store_url(Path(folder)))
        migrate(engine, [("vigilar-web", TABLES)], snapshots_dir=None, time_us=0)
        engine.dispose()
        return (Path(folder) / DATABASE_NAME).read_bytes()


class House:
    """A web with its bus, clock, store and a few cameras."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: WebSettings | None = None,
        cameras: Mapping[str, str] | None = None,
        parts: Iterable[WebPart] = (),
        clock: FakeClock | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.bus = FakeBus(ALL_KINDS, clock=self.clock)
        self.paths = fake_paths(folder)
        self.own = settings or WebSettings(password_hash=Secret(PASSWORD_HASH))
        names = cameras if cameras is not None else {"hall": "Hall", "garden": "Garden"}
        self.settings = FakeSettings(
            [self.own, System(name="Our house", timezone="Europe/Vienna")],
            {"cameras": {id: [Camera(id=id, display_name=name)] for id, name in names.items()}},
        )
        (self.paths.data_dir / DATABASE_NAME).write_bytes(migrated())
        (self.paths.data_dir / DATABASE_NAME).chmod(0o640)
        self.engine = open_engine(store_url(self.paths.data_dir))
        self.web = Web(
            settings=self.settings,
            bus=self.bus,
            clock=self.clock,
            catalogue=self.bus.catalogue,
            paths=self.paths,
            database=self.engine,
            key=lambda: bytes(32),
            host_names=("localhost", "vigilar.local"),
        )
        self.app = create_app(self.web, parts, cookie_key=COOKIE_KEY)
        self.bus.subscribe_events(self.web.hub.publish)
        self.bus.subscribe_events(self.web.camera_states.note)
        self.web.camera_states.listen(self.bus)

    def happens(self, topic: str, *, time_us: int | None = None, **fields: Any) -> Event:
        """An event, committed and then published as the ledger does."""
        kind = self.bus.catalogue.classify(topic)
        assert kind is not None
        at_us = self.clock.time_us() if time_us is None else time_us
        sequence = self._commit(kind, topic, at_us, fields)
        event = Event(
            f"{sequence:032x}", kind.name, topic, subject_of(topic), "test", at_us,
            kind.severity, fields, sequence,
        )  # fmt: skip
        self.web.camera_states.note(event)
        self.web.hub.publish(event)
        return event

    def _commit(self, kind: EventKind, topic: str, at_us: int, fields: Mapping[str, Any]) -> int:
        subject = subject_of(topic)
        what = {"subject": subject, "kind": kind.name, "severity": kind.severity.value}
        with writing(self.engine) as connection:
            series = connection.scalar(
                sa.select(event_series.c.id).filter_by(**what)
            ) or connection.scalar(
                sa.insert(event_series).values(**what).returning(event_series.c.id)
            )
            number = (connection.scalar(sa.select(sa.func.max(events.c.sequence))) or 0) + 1
            connection.execute(
                sa.insert(events).values(
                    sequence=number,
                    id=f"{number:032x}",
                    time_us=at_us,
                    committed_us=at_us,
                    series=series,
                    source="test",
                    topic=topic,
                    data=json.dumps(fields),
                    hops=0,
                    **what,
                )
            )
        return number

    def client(
        self, role: Role | None = Role.ADMIN, cameras: Sequence[str] | None = None
    ) -> FlaskClient:
        """A browser, signed in unless ``role`` is ``None``."""
        client = self.app.test_client()
        client.environ_base["HTTP_ACCEPT"] = "text/html"
        if role is not None:
            name = f"{role.name.lower()}-{'-'.join(cameras or ())}"
            if self.web.accounts.find(name) is None:
                self.web.accounts.add(
                    name, role, cameras=None if cameras is None else frozenset(cameras)
                )
            self.sign_in_as(client, name)
        return client

    def sign_in_as(self, client: FlaskClient, name: str) -> None:
        """Put a user's new session into a browser."""
        user = self.web.accounts.find(name)
        assert user is not None
        token = self.web.sessions.open(user, address="127.0.0.1", browser="test")
        with client.session_transaction() as session:
            session["token"] = token


def csrf_of(client: FlaskClient, path: str = "/sign-in") -> str:
    """The token out of a page."""
    text = client.get(path).get_data(as_text=True)
    return text.partition('name="csrf-token" content="')[2].partition('"')[0]


def post(client: FlaskClient, path: str, /, *, page: str = "/sign-in", **form: Any) -> Any:
    """Submit a form as the page at ``page`` would."""
    return client.post(
        path,
        data={"csrf_token": csrf_of(client, page), **form},
        headers={"Origin": "https://localhost"},
    )


def at_us(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).timestamp() * 1e6)
