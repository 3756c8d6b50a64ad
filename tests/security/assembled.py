"""The web application with the pages of every plugin, in this process, over a real database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from vigilar_core.config import Camera, Secret
from vigilar_core.config.core import System
from vigilar_core.config.hashes import hash_password
from vigilar_core.events import Event
from vigilar_core.media import Motion, MotionKind
from vigilar_core.plugins.host import PluginHost
from vigilar_core.runtime.kinds import RUNTIME_KINDS
from vigilar_core.store.engine import open_engine, store_url, writing
from vigilar_core.store.migrate import migrate
from vigilar_core.testing import FakeBus, FakeCamera, FakeClock, FakeSettings, eventually
from vigilar_core.testing.clip import make_clip
from vigilar_core.web import Role
from vigilar_live.options import LiveOptions
from vigilar_recorder.camera_recorder import CameraRecorder
from vigilar_recorder.settings import CameraRecording
from vigilar_web.application import create_app
from vigilar_web.kinds import KINDS
from vigilar_web.settings import WebSettings
from vigilar_web.surroundings import Web

PLUGINS: Final = ("web", "live", "motion", "recorder")
CAMERAS: Final = ("hall", "garden")
KEY: Final = bytes(range(32))
_PLACE = re.compile(r"<(?:(\w+):)?(\w+)>")
#: Answers that do not end by themselves.
ENDLESS: Final = frozenset({"feed.stream", "feed.socket", "live.pictures", "live.fragments"})


class Assembled:
    """An application, two cameras with a recording each, and people to sign in."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.host = FakeClock(), PluginHost()
        self.host.load(PLUGINS)
        kinds = [kind for each in self._answers("register_event_kinds") for kind in each]
        self.bus = FakeBus([*RUNTIME_KINDS, *kinds], clock=self.clock)
        for kind in KINDS:
            if self.bus.catalogue.classify(kind.topic) is None:
                self.bus.catalogue.add(kind)
        recorded = {id: FakeCamera(folder, id=id, models=[_BRIEF], bus=self.bus, clock=self.clock)
                    for id in CAMERAS}  # fmt: skip
        self.paths = recorded["hall"].paths
        self.engine = open_engine(store_url(self.paths.data_dir))
        self._tables = [each for each in self._answers("register_tables") if each is not None]
        parts = [(f"part-{number}", each) for number, each in enumerate(self._tables)]
        migrate(self.engine, parts, snapshots_dir=None, time_us=0)
        self.bus.subscribe_events(self._project)
        #: Id of the finished recording of each camera.
        self.recordings = {id: self._record(camera) for id, camera in recorded.items()}
        self.web = Web(
            settings=_settings(),
            bus=self.bus,
            clock=self.clock,
            catalogue=self.bus.catalogue,
            paths=self.paths,
            database=self.engine,
            key=lambda: KEY,
            host_names=("localhost",),
        )
        guests = [part for each in self._answers("register_blueprint", web=self.web)
                  for part in each]  # fmt: skip
        self.app = create_app(self.web, guests, cookie_key=KEY)

    def client(self, role: Role | None, cameras: Sequence[str] | None = None) -> FlaskClient:
        """Somebody with a role, signed in with a token of the page; ``None``: nobody."""
        client = self.app.test_client()
        client.environ_base["HTTP_ORIGIN"] = "http://localhost"
        if role is None:
            return client
        name = f"{role.name.lower()}-{'-'.join(cameras or ())}"
        if self.web.accounts.find(name) is None:
            scope = None if cameras is None else frozenset(cameras)
            self.web.accounts.add(name, role, cameras=scope)
        user = self.web.accounts.find(name)
        assert user is not None
        with client.session_transaction() as session:
            session["token"] = self.web.sessions.open(user, address="127.0.0.1", browser="test")
        csrf = client.get("/api/v1/session").get_json()["csrf_token"]
        client.environ_base["HTTP_X_CSRFTOKEN"] = csrf
        return client

    def ask(self, client: FlaskClient, rule: Rule, method: str = "GET", **given: str) -> Any:
        """The whole answer of a route; a route for WebSockets is asked to open one.

        :param given: what stands in its places, quoted, instead of what leads somewhere
        """
        upgrade = _UPGRADE if rule.websocket else {}
        base = "ws://localhost" if rule.websocket else "http://localhost"
        json = None if method in ("GET", "HEAD") else {}
        path = self.path(rule, **given)
        return client.open(
            path, method=method, json=json, headers=upgrade, base_url=base, buffered=True
        )

    def routes(self) -> Iterator[Rule]:
        return self.app.url_map.iter_rules()

    def path(self, rule: Rule, camera: str = "hall", **given: str) -> str:
        """A path of a route with every place filled in."""
        recording = self.recordings[camera]
        values: Mapping[str, str] = {
            "camera_id": camera, "recording_id": recording, "sequence": "1", "filename": "app.css",
            "time_us": str(self.clock.time_us()), "name": "live.m3u8", "user": "admin",
        } | given  # fmt: skip
        return _PLACE.sub(lambda place: values.get(place[2], "1"), rule.rule)

    def everything(self) -> dict[str, list[Any]]:
        """Every row of every table, but for the times of last requests."""
        found = {}
        with self.engine.connect() as connection:
            metadata = sa.MetaData()
            metadata.reflect(connection)
            for table in metadata.sorted_tables:
                columns = [column for column in table.c if column.name != "seen_us"]
                found[table.name] = list(map(tuple, connection.execute(sa.select(*columns))))
        return found

    def files(self) -> dict[str, bytes]:
        """Every file but those of the database, which comes as rows."""
        root = self.paths.data_dir.parent
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and not path.name.startswith("vigilar.db")
        }

    def close(self) -> None:
        self.engine.dispose()

    def _answers(self, hook: str, **values: Any) -> list[Any]:
        return [each.value for each in self.host.call(hook, **values) if each.value]

    def _project(self, event: Event) -> None:
        with writing(self.engine) as connection:
            for tables in self._tables:
                for projection in tables.projections:
                    if event.kind in projection.kinds:
                        projection.apply(connection, event)

    def _record(self, camera: FakeCamera) -> str:
        recorder, clip = CameraRecorder(camera), make_clip(4)
        camera.streams = clip.streams
        recorder.on_connected(clip.streams)
        begin_s = self.clock.monotonic_s()
        for packet in clip.at(begin_s, self.clock.time_us()):
            self.clock.advance(max(0.0, packet.monotonic_s - self.clock.monotonic_s()))
            recorder.on_packet(packet)
            if packet.monotonic_s == begin_s:
                now_us, now_s = self.clock.time_us(), self.clock.monotonic_s()
                recorder.on_motion(Motion(camera.id, MotionKind.MOTION, "start", now_us, now_s))
        recorder.on_close()
        sealed = eventually(lambda: [each for each in self.bus.events
                                     if each.kind == "recording_sealed"
                                     and each.subject == f"camera/{camera.id}"])  # fmt: skip
        return str(sealed[0].data["id"])


_UPGRADE: Final = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip
_BRIEF = CameraRecording(pre_motion_buffer_s=1, post_motion_buffer_s=1)


def _settings() -> FakeSettings:
    own = WebSettings(password_hash=Secret(hash_password("x" * 12, salt=bytes(16))), tls=False)
    cameras = {id: [Camera(id=id, display_name=id.title())] for id in CAMERAS}
    return FakeSettings([own, System(), LiveOptions()], {"cameras": cameras})
