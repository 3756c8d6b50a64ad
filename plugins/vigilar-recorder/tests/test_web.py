"""Pages, API and bytes of recordings, in the web plugin's own application."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import av
import pytest
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from vigilar_core.config import Camera, Secret
from vigilar_core.config.core import Database, System
from vigilar_core.config.hashes import hash_password
from vigilar_core.events import Event
from vigilar_core.store.engine import open_engine, store_url, writing
from vigilar_core.store.migrate import migrate
from vigilar_core.testing import FakeSettings, eventually
from vigilar_core.testing.clip import make_clip
from vigilar_core.web import Role
from vigilar_recorder import pages
from vigilar_recorder.settings import CameraRecording
from vigilar_recorder.tables import DISTRIBUTION, TABLES

pytest.importorskip("vigilar_web", reason="the web plugin is not installed")

from vigilar_web.application import create_app
from vigilar_web.kinds import KINDS
from vigilar_web.settings import WebSettings
from vigilar_web.surroundings import Web
from vigilar_web.tables import TABLES as WEB_TABLES

KEY = bytes(range(32))
BRIEF = CameraRecording(pre_motion_buffer_s=1, post_motion_buffer_s=1)
HASH = hash_password("correct horse battery", salt=bytes(16))


class Site:
    """A web over recordings that the real recorder made."""

    def __init__(self, bench: Callable[..., Any]) -> None:
        self.benches = {id: bench(BRIEF, id=id) for id in ("hall", "garden")}
        hall = self.benches["hall"]
        self.paths, self.clock, self.bus = hall.camera.paths, hall.clock, hall.bus
        for kind in KINDS:
            self.bus.catalogue.add(kind)
        self.engine = open_engine(store_url(self.paths.data_dir))
        parts = [(DISTRIBUTION, TABLES), ("vigilar-web", WEB_TABLES)]
        migrate(self.engine, parts, snapshots_dir=None, time_us=0)
        for each in self.benches.values():
            each.bus.subscribe_events(self._project)
        own = WebSettings(password_hash=Secret(HASH), tls=False)
        cameras = {id: [Camera(id=id, display_name=id.title())] for id in self.benches}
        self.web = Web(
            settings=FakeSettings(
                [own, Database(), System(timezone="Europe/Vienna")], {"cameras": cameras}
            ),
            bus=self.bus,
            clock=self.clock,
            catalogue=self.bus.catalogue,
            paths=self.paths,
            database=self.engine,
            key=lambda: KEY,
        )
        self.app = create_app(self.web, pages.parts(self.web), cookie_key=KEY)

    def _project(self, event: Event) -> None:
        with writing(self.engine) as connection:
            for projection in TABLES.projections:
                if event.kind in projection.kinds:
                    projection.apply(connection, event)

    def record(self, camera: str = "hall", seconds: float = 6) -> dict[str, Any]:
        it = self.benches[camera]
        clip = make_clip(seconds)
        it.connect(clip)
        before = len(it.events("sealed"))
        it.feed(
            clip,
            at={
                2.0: lambda: it.motion("start", zones=("<b>door</b>",)),
                seconds - 2: lambda: it.motion("end"),
            },
        )
        return it.wait("sealed", before + 1)[-1]  # type: ignore[no-any-return]

    def client(self, role: Role = Role.ADMIN, cameras: list[str] | None = None) -> FlaskClient:
        client = self.app.test_client()
        name = f"{role.name.lower()}{len(cameras or ())}"
        if self.web.accounts.find(name) is None:
            scope = None if cameras is None else frozenset(cameras)
            self.web.accounts.add(name, role, cameras=scope)
        user = self.web.accounts.find(name)
        assert user is not None
        token = self.web.sessions.open(user, address="127.0.0.1", browser="test")
        with client.session_transaction() as session:
            session["token"] = token
        csrf = client.get("/api/v1/session").get_json()["csrf_token"]
        client.environ_base["HTTP_X_CSRFTOKEN"] = csrf
        return client


@pytest.fixture
def site(bench: Callable[..., Any]) -> Site:
    return Site(bench)


Shown = tuple[Site, dict[str, Any]]


@pytest.fixture(scope="module")
def shown(shared_bench: Callable[..., Any]) -> Shown:
    """A site with one recording of the hall, for tests that only look."""
    site = Site(shared_bench)
    return site, site.record("hall")


@pytest.fixture(scope="module")
def tab(shown: Shown, chromium: Any) -> Iterator[Any]:
    """A real Chromium, signed in as administrator; ``tab.complaints`` is its console."""
    site, _ = shown
    server = make_server("localhost", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    cookie = site.client().get_cookie("vigilar")
    assert cookie is not None
    context = chromium.new_context(base_url=f"http://localhost:{server.port}")
    context.add_cookies(
        [{"name": "vigilar", "value": cookie.value, "domain": "localhost", "path": "/"}]
    )
    found = context.new_page()
    found.complaints = []
    found.on(
        "console",
        lambda said: found.complaints.append(said.text) if said.type == "error" else None,
    )
    yield found
    context.close()
    server.shutdown()
    thread.join()


@pytest.mark.browser
def test_a_browser_plays_and_seeks(shown: Shown, tab: Any) -> None:
    _, sealed = shown
    tab.goto(f"/recordings/{sealed['id']}?t=1.5")
    eventually(lambda: tab.evaluate("document.querySelector('video').readyState >= 2"))
    duration = tab.evaluate("document.querySelector('video').duration")
    assert duration == pytest.approx(sealed["duration_s"], abs=0.1)
    assert tab.evaluate("document.querySelector('video').currentTime") >= 1.4
    tab.evaluate("document.querySelector('video').pause()")
    tab.evaluate("document.querySelector('video').currentTime = 2.5")
    eventually(lambda: tab.evaluate("!document.querySelector('video').seeking"))
    assert tab.evaluate("document.querySelector('video').currentTime") == 2.5
    assert tab.locator("#player-error").is_hidden()
    assert tab.complaints == []


@pytest.mark.browser
def test_a_browser_shows_the_thumbnails_on_a_phone_without_scrolling_sideways(
    shown: Shown, tab: Any
) -> None:
    tab.set_viewport_size({"width": 360, "height": 740})
    tab.goto("/recordings/")
    eventually(lambda: tab.evaluate("document.querySelector('.camera img').naturalWidth > 0"))
    width = tab.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
    picture = "document.querySelector('.camera .picture').getBoundingClientRect()"
    shape = tab.evaluate(f"(box => box.width / box.height)({picture})")
    assert shape == pytest.approx(16 / 9, abs=0.02)
    assert tab.complaints == []


def pictures(mp4: bytes) -> int:
    with av.open(io.BytesIO(mp4)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_the_list_shows_each_day_with_its_recordings(shown: Shown) -> None:
    site, sealed = shown
    text = site.client().get("/recordings/").get_data(as_text=True)
    assert f"/recordings/{sealed['id']}/thumbnail.jpg" in text
    assert "Today" in text
    assert "Hall" in text


def test_an_empty_list_says_what_will_be_there(site: Site) -> None:
    assert "No recordings yet" in site.client().get("/recordings/").get_data(as_text=True)
    filtered = site.client().get("/recordings/?camera=garden").get_data(as_text=True)
    assert "Nothing fits this filter" in filtered


def test_a_filter_narrows_the_list(site: Site) -> None:
    hall, garden = site.record("hall"), site.record("garden")
    client = site.client()

    def listed(query: str) -> set[str]:
        text = client.get(f"/recordings/?{query}").get_data(as_text=True)
        return set(re.findall(r'/recordings/([0-9a-f]{32})"', text))

    assert listed("") == {hall["id"], garden["id"]}
    assert listed("camera=garden") == {garden["id"]}
    assert listed("day=2026-01-01") == {hall["id"], garden["id"]}
    assert listed("day=2025-12-31") == set()
    assert listed("trigger=manual") == set()
    client.post(f"/recordings/{hall['id']}/star", data={"starred": "1"})
    assert listed("starred=1") == {hall["id"]}


@pytest.mark.parametrize(
    "query", ["day=x", "day=9999-12-31", "before=x", "trigger=x", "before=1-%00", "day=0001-01-01"]
)
def test_a_filter_that_makes_no_sense_is_refused_or_empty(shown: Shown, query: str) -> None:
    site, _ = shown
    assert site.client().get(f"/recordings/?{query}").status_code in (200, 400)


def test_older_recordings_are_a_page_further(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [site.record(camera)["id"] for camera in ("hall", "garden")]
    monkeypatch.setattr(pages, "PAGE", 1)
    client, seen, path = site.client(), [], "/recordings/"
    while path:
        text = client.get(path).get_data(as_text=True)
        seen += re.findall(r'stretched-link" href="/recordings/([0-9a-f]{32})"', text)
        found = re.search(r'rel="next" href="([^"]+)"', text)
        path = found[1].replace("&amp;", "&") if found else ""
    assert sorted(seen) == sorted(made)


def test_the_player_page_shows_what_is_known_and_escapes_it(shown: Shown) -> None:
    site, sealed = shown
    text = site.client().get(f"/recordings/{sealed['id']}?t=2.5").get_data(as_text=True)
    assert f"/recordings/{sealed['id']}/video.mp4#t=2.5" in text
    assert sealed["sha256"] in text
    assert "<b>door</b>" not in text
    assert "&lt;b&gt;door" in text


def test_the_whole_video_decrypts_and_plays(shown: Shown) -> None:
    site, sealed = shown
    answer = site.client().get(f"/recordings/{sealed['id']}/video.mp4")
    assert answer.status_code == 200
    assert answer.mimetype == "video/mp4"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert pictures(answer.data) == round(sealed["duration_s"] * 25)


@pytest.mark.parametrize(
    ("wanted", "begin", "end"),
    [("bytes=0-99", 0, 100), ("bytes=5000-", 5000, None), ("bytes=-77", -77, None),
     ("bytes=4000-9000", 4000, 9001), ("bytes=0-99999999", 0, None)],
)  # fmt: skip
def test_any_part_can_be_asked_for(shown: Shown, wanted: str, begin: int, end: int | None) -> None:
    site, sealed = shown
    address = f"/recordings/{sealed['id']}/video.mp4"
    client = site.client()
    whole = client.get(address).data
    part = client.get(address, headers={"Range": wanted})
    assert part.status_code == 206
    assert part.data == whole[begin:end]
    assert part.headers["Content-Range"].endswith(f"/{len(whole)}")


def test_a_range_outside_is_not_satisfiable(shown: Shown) -> None:
    site, sealed = shown
    address = f"/recordings/{sealed['id']}/video.mp4"
    answer = site.client().get(address, headers={"Range": "bytes=99999999-"})
    assert answer.status_code == 416
    assert re.fullmatch(r"bytes \*/\d+", answer.headers["Content-Range"])


def test_a_range_counts_only_while_the_video_is_the_same(shown: Shown) -> None:
    site, sealed = shown
    address = f"/recordings/{sealed['id']}/video.mp4"
    client = site.client()
    etag = client.get(address).headers["ETag"]
    same = {"Range": "bytes=0-9", "If-Range": etag}
    other = {"Range": "bytes=0-9", "If-Range": '"other"'}
    assert client.get(address, headers=same).status_code == 206
    assert client.get(address, headers=other).status_code == 200
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 304


def test_asking_for_the_head_sends_no_body(shown: Shown) -> None:
    site, sealed = shown
    answer = site.client().head(f"/recordings/{sealed['id']}/video.mp4")
    assert answer.status_code == 200
    assert answer.data == b""
    assert int(answer.headers["Content-Length"]) > 1000


def test_an_open_recording_plays_as_far_as_it_goes(site: Site) -> None:
    it = site.benches["hall"]
    clip = make_clip(6)
    it.connect(clip)
    it.feed(clip, at={2.0: lambda: it.motion("start")})
    client = site.client()
    (row,) = client.get("/api/v1/recordings").get_json()["items"]
    assert row["sealed"] is False

    def playable() -> bool:
        answer = client.get(f"/recordings/{row['id']}/video.mp4")
        return answer.status_code == 200 and pictures(answer.data) > 60

    eventually(playable)
    page = client.get(f"/recordings/{row['id']}").get_data(as_text=True)
    assert "still recording" in page
    assert "/delete" not in page


def test_a_moment_leads_to_its_recording_at_the_right_second(shown: Shown) -> None:
    site, sealed = shown
    client = site.client()
    time_us = sealed["start_time_us"] + 2_500_000
    answer = client.get(f"/recordings/at/hall/{time_us}")
    assert answer.headers["Location"] == f"/recordings/{sealed['id']}?t=2.5"
    picture = client.get(f"/recordings/at/hall/{time_us}/thumbnail.jpg")
    assert picture.data.startswith(b"\xff\xd8")
    assert client.get(f"/recordings/at/hall/{10**30}").status_code == 404
    assert client.get("/recordings/at/hall/1/thumbnail.jpg").status_code == 204


BYTES = ("video.mp4", "thumbnail.jpg", "download", "")


@pytest.mark.parametrize("what", BYTES)
def test_a_person_who_may_not_see_the_camera_gets_none_of_its_bytes(
    shown: Shown, what: str
) -> None:
    site, sealed = shown
    stranger = site.client(Role.OPERATOR, ["garden"])
    path = f"/recordings/{sealed['id']}/{what}".rstrip("/")
    assert stranger.get(path).status_code == 404
    assert site.client(Role.OPERATOR, ["hall", "garden"]).get(path).status_code == 200


def test_a_person_who_may_not_see_the_camera_can_neither_list_nor_change(shown: Shown) -> None:
    site, sealed = shown
    stranger = site.client(Role.OPERATOR, ["garden"])
    api = f"/api/v1/recordings/{sealed['id']}"
    assert stranger.get("/api/v1/recordings").get_json()["items"] == []
    assert stranger.get("/api/v1/recordings?camera=hall").get_json()["items"] == []
    assert sealed["id"] not in stranger.get("/recordings/").get_data(as_text=True)
    assert stranger.get(api).status_code == 404
    assert stranger.get(f"{api}/video").status_code == 404
    assert stranger.get(f"{api}/thumbnail").status_code == 404
    assert stranger.put(f"{api}/starred", json={"starred": True}).status_code == 404
    assert stranger.delete(api).status_code == 404
    assert stranger.post(f"/recordings/{sealed['id']}/delete").status_code == 404
    assert stranger.post(f"/recordings/{sealed['id']}/star").status_code == 404
    assert stranger.get(f"/recordings/at/hall/{sealed['start_time_us']}").status_code == 404
    assert stranger.post("/recordings/record/hall", data={"action": "start"}).status_code == 404
    record = stranger.post("/api/v1/cameras/hall/record", json={"action": "start"})
    assert record.status_code == 404
    assert (site.paths.recordings_dir / sealed["path"]).exists()


def test_a_viewer_watches_and_changes_nothing(shown: Shown) -> None:
    site, sealed = shown
    viewer, one = site.client(Role.VIEWER), f"/recordings/{sealed['id']}"
    assert viewer.get(f"{one}/video.mp4").status_code == 200
    for path in (f"{one}/star", f"{one}/delete", "/recordings/record/hall"):
        assert viewer.post(path).status_code == 403
    assert viewer.get(f"{one}/download").status_code == 403
    assert viewer.delete(f"/api/v1{one}").status_code == 403
    assert "/delete" not in viewer.get(one).get_data(as_text=True)


def test_nobody_sees_anything_without_signing_in(shown: Shown) -> None:
    site, sealed = shown
    stranger = site.app.test_client()
    for path in ("video.mp4", "thumbnail.jpg", "download"):
        assert stranger.get(f"/recordings/{sealed['id']}/{path}").status_code == 401
    assert stranger.get("/api/v1/recordings").status_code == 401


def test_no_change_by_get_and_none_without_a_token(shown: Shown) -> None:
    site, sealed = shown
    client = site.client()
    one = f"/recordings/{sealed['id']}"
    for path in (f"{one}/star", f"{one}/delete", "/recordings/record/hall"):
        assert client.get(path).status_code in (404, 405)
    del client.environ_base["HTTP_X_CSRFTOKEN"]
    assert client.post(f"{one}/delete").status_code == 400
    assert (site.paths.recordings_dir / sealed["path"]).exists()


def test_deleting_removes_the_recording_at_once(site: Site) -> None:
    sealed = site.record()
    client = site.client(Role.OPERATOR)
    assert client.post(f"/recordings/{sealed['id']}/delete").status_code == 303
    assert not (site.paths.recordings_dir / sealed["path"]).exists()
    assert client.get(f"/recordings/{sealed['id']}").status_code == 404
    assert site.bus.events[-1].data["who"] == "operator0"


def test_starring_is_kept_and_said(site: Site) -> None:
    sealed = site.record()
    client, api = site.client(Role.OPERATOR), f"/api/v1/recordings/{sealed['id']}"
    assert client.put(f"{api}/starred", json={"starred": True}).get_json()["starred"] is True
    assert client.get(api).get_json()["starred"] is True
    assert site.bus.kinds()[-1] == "recording_starred"
    client.post(f"/recordings/{sealed['id']}/star", data={"starred": "0"})
    assert client.get(api).get_json()["starred"] is False


def test_recording_by_hand_reaches_the_recorder(site: Site) -> None:
    it = site.benches["hall"]
    clip = make_clip(3)
    it.connect(clip)
    it.feed(clip)
    client = site.client(Role.OPERATOR)
    answer = client.post("/api/v1/cameras/hall/record", json={"action": "start", "duration_s": 60})
    assert answer.status_code == 202
    (started,) = it.events("started")
    assert (started["trigger"], started["who"]) == ("manual", "operator0")
    client.post("/recordings/record/hall", data={"action": "stop"})
    it.wait("sealed")


@pytest.mark.parametrize(
    "form", [{}, {"action": "x"}, {"action": "start", "minutes": "0"},
             {"action": "start", "minutes": "-1"}, {"action": "start", "minutes": "1441"}],
)  # fmt: skip
def test_a_request_by_hand_that_makes_no_sense_is_refused(
    shown: Shown, form: dict[str, str]
) -> None:
    site, _ = shown
    assert site.client().post("/recordings/record/hall", data=form).status_code == 400


@pytest.mark.parametrize(
    "id",
    ["..", "%2e%2e%2fetc%2fpasswd", "x" * 4000, "..%5c..", "%00", "1;drop table recordings",
     "' or 1=1 --", "{{7*7}}", "/etc/passwd"],
)  # fmt: skip
def test_a_name_leads_to_no_file(shown: Shown, id: str) -> None:
    site, _ = shown
    client = site.client()
    for path in (f"/recordings/{id}", f"/recordings/{id}/video.mp4", f"/api/v1/recordings/{id}"):
        answer = client.get(path)
        assert answer.status_code in (308, 404, 422), path
        assert b"root:" not in answer.data


@pytest.mark.parametrize("path", ["../../../etc/passwd", "/etc/passwd", "hall/2026/01/01/../x.vge"])
def test_a_row_that_was_tampered_with_leads_nowhere(site: Site, path: str) -> None:
    import sqlalchemy as sa

    from vigilar_recorder.tables import recordings

    sealed = site.record()
    with writing(site.engine) as connection:
        connection.execute(sa.update(recordings).values(path=path, thumbnail=path))
    client = site.client()
    assert client.get(f"/recordings/{sealed['id']}/video.mp4").status_code == 404
    assert client.get(f"/recordings/{sealed['id']}/thumbnail.jpg").status_code == 404


def test_a_missing_file_is_said_to_be_missing(site: Site) -> None:
    sealed = site.record()
    (site.paths.recordings_dir / sealed["path"]).unlink()
    assert site.client().get(f"/recordings/{sealed['id']}/video.mp4").status_code == 404


def test_a_damaged_file_gives_no_false_bytes(site: Site) -> None:
    sealed = site.record()
    path = site.paths.recordings_dir / sealed["path"]
    path.write_bytes(path.read_bytes()[:-3000])
    answer = site.client().get(f"/recordings/{sealed['id']}/video.mp4")
    assert answer.status_code == 500
    assert b"ftyp" not in answer.data


def test_the_api_tells_nothing_of_where_files_lie(shown: Shown) -> None:
    site, sealed = shown
    text = json.dumps(site.client().get(f"/api/v1/recordings/{sealed['id']}").get_json())
    assert ".vge" not in text
    assert str(site.paths.recordings_dir) not in text


def test_a_download_is_offered_under_a_harmless_name(shown: Shown) -> None:
    site, sealed = shown
    answer = site.client().get(f"/recordings/{sealed['id']}/download")
    assert answer.headers["Content-Disposition"] == f"attachment; filename=hall-{sealed['id']}.mp4"
    assert pictures(answer.data) == round(sealed["duration_s"] * 25)


def test_every_view_carries_an_access_mark(shown: Shown) -> None:
    site, _ = shown
    from vigilar_core.web import access_of

    unmarked = [
        endpoint
        for endpoint, view in site.app.view_functions.items()
        if endpoint.startswith("recordings")
        and not endpoint.endswith(".static")
        and access_of(view) is None
    ]
    assert unmarked == []
