"""A running Vigilar: whoever may see one camera gets no byte of the other, on any way there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
import requests
import websocket

from tests.security.estate import Estate
from tests.survive.visitor import Visitor
from vigilar_core.testing import eventually

pytestmark = pytest.mark.rtsp

EVIL: Final = "https://evil.test"


def live(camera: str) -> list[str]:
    return [f"/live/{camera}", f"/live/{camera}/picture.jpg"]


def watch(estate: Estate, camera: str) -> list[str]:
    """Paths of the live picture's files, once somebody watches by HLS."""
    admin, playlist = estate.administrator(), f"/live/{camera}/hls/live.m3u8"
    text = eventually(
        lambda: (answer := admin.get(playlist)).status_code == 200 and answer.text,
        within_s=20,
        what="a playlist",
    )
    names = [line for line in str(text).splitlines() if line and not line.startswith("#")]
    init = str(text).partition('URI="')[2].partition('"')[0]
    return [playlist, *(f"/live/{camera}/hls/{name}" for name in (init, *names))]


def recorded(estate: Estate, camera: str) -> list[str]:
    """Paths of a recording and its parts."""
    recording = estate.recording(camera)
    start_us = estate.house.row(recording)["start_time_us"] + 100_000
    return [
        *(f"/recordings/{recording}{part}" for part in ("", "/video.mp4", "/thumbnail.jpg")),
        *(f"/api/v1/recordings/{recording}{part}" for part in ("", "/video", "/thumbnail")),
        f"/recordings/at/{camera}/{start_us}",
        f"/recordings/at/{camera}/{start_us}/thumbnail.jpg",
    ]


def test_class_7_no_byte_of_another_camera_reaches_whoever_may_see_one(estate: Estate) -> None:
    viewer, nobody = estate.viewer_of_hall(), estate.nobody()
    own, other = (
        [*live(camera), *watch(estate, camera), *recorded(estate, camera)]
        for camera in ("hall", "garden")
    )
    for path in own:
        assert viewer.get(path).status_code == 200, path
    for path in other:
        answer = viewer.get(path, allow_redirects=False)
        assert answer.status_code == 404, path
        assert estate.administrator().get(path).status_code == 200, "the control: it is there"
    for path in (*own, *other):
        assert nobody.get(path, headers={"Accept": "*/*"}).status_code == 401, path


def test_class_7_a_range_a_condition_or_a_head_is_asked_for_in_vain(estate: Estate) -> None:
    path = f"/recordings/{estate.recording('garden')}/video.mp4"
    admin, viewer = estate.administrator(), estate.viewer_of_hall()
    etag = admin.get(path).headers["ETag"]
    for headers in ({"Range": "bytes=0-99"}, {"If-None-Match": etag}, {"If-Range": etag}):
        assert viewer.get(path, headers=headers).status_code == 404
    assert viewer.session.head(viewer.origin + path, timeout=10).status_code == 404
    operator = estate.operator_of_hall()
    assert operator.get(f"/recordings/{estate.recording('garden')}/download").status_code == 404
    assert operator.get(f"/recordings/{estate.recording('hall')}/download").status_code == 200


def test_class_7_moving_pictures_of_another_camera_do_not_begin(estate: Estate) -> None:
    viewer = estate.viewer_of_hall()
    with viewer.get("/live/hall/pictures", stream=True) as own:
        assert own.status_code == 200
        assert own.raw.read(64).startswith(b"--")
    with viewer.get("/live/garden/pictures", stream=True) as other:
        assert other.status_code == 404


@contextmanager
def socket(visitor: Visitor, path: str, origin: str | None) -> Iterator[websocket.WebSocket]:
    cookies = "; ".join(f"{each.name}={each.value}" for each in visitor.session.cookies)
    opened = websocket.create_connection(
        visitor.origin.replace("http", "ws", 1) + path,
        cookie=cookies,
        origin=origin,
        suppress_origin=origin is None,
        timeout=15,
    )
    try:
        yield opened
    finally:
        opened.close()


def status(visitor: Visitor, path: str, origin: str | None) -> int:
    """Of the answer to a handshake; 101 when the socket opens."""
    try:
        with socket(visitor, path, origin):
            return 101
    except websocket.WebSocketBadStatusException as refusal:
        return int(refusal.status_code)


def test_class_8_fragments_come_to_our_own_pages_and_to_whoever_may_see_the_camera(
    estate: Estate,
) -> None:
    viewer, fragments = estate.viewer_of_hall(), "/live/{}/fragments"
    with socket(viewer, fragments.format("hall"), viewer.origin) as own:
        assert json.loads(own.recv())["type"].startswith("video/mp4")
        assert own.recv()[4:8] == b"ftyp"
    assert status(viewer, fragments.format("garden"), viewer.origin) == 404
    assert status(estate.nobody(), fragments.format("hall"), viewer.origin) == 401
    for origin in (EVIL, "null", None, viewer.origin + ".evil.test", "http://127.0.0.1:1"):
        assert status(viewer, fragments.format("hall"), origin) == 403, origin
        assert status(viewer, "/ws", origin) == 403, origin
    assert status(viewer, "/ws", viewer.origin) == 101


def test_class_8_no_other_site_may_read_an_answer(estate: Estate) -> None:
    viewer = estate.viewer_of_hall()
    for path in ("/api/v1/events", "/live/hall/picture.jpg", watch(estate, "hall")[0], "/"):
        answer = viewer.get(path, headers={"Origin": EVIL})
        assert not [name for name in answer.headers if name.startswith("Access-Control")], path
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", path
    with viewer.get("/events/stream", stream=True, headers={"Origin": EVIL}) as stream:
        assert "Access-Control-Allow-Origin" not in stream.headers
    for cookie in viewer.session.cookies:
        assert cookie._rest.get("SameSite") in ("Lax", "Strict"), cookie.name


def test_class_8_a_stream_tells_of_ones_own_camera_only(estate: Estate) -> None:
    viewer, before = estate.viewer_of_hall(), estate.house.newest()
    with viewer.get(f"/events/stream?after={before}", stream=True) as stream:
        estate.house.camera.cut()
        lines = (line for line in stream.iter_lines(decode_unicode=True))
        told = []
        while "camera/hall" not in told:
            line = next(lines)
            if line.startswith("data: "):
                told.append(json.loads(line.removeprefix("data: "))["subject"])
    estate.house.camera.restore()
    assert "camera/garden" not in told
    eventually(lambda: len(estate.house.events("camera_offline", after=before)) == 2)
    eventually(lambda: len(estate.house.events("camera_online", after=before)) == 2, within_s=20)


def test_class_12_a_session_that_was_planted_is_not_taken_over(estate: Estate) -> None:
    planted = estate.nobody().get("/sign-in").cookies.get("vigilar")
    link = estate.vigilar.run("web", "sign-in-link").stdout.strip()
    with Visitor(estate.house.port) as victim:
        victim.session.cookies.set("vigilar", planted, domain="127.0.0.1", path="/")
        answer = victim.post("/sign-in/link", token=link.partition("#")[2])
        assert answer.status_code == 200
        assert victim.session.cookies.get("vigilar") != planted
        assert victim.get("/api/v1/session").status_code == 200
    thief = requests.get(
        f"http://127.0.0.1:{estate.house.port}/api/v1/session",
        cookies={"vigilar": str(planted)}, timeout=10,
    )  # fmt: skip
    assert thief.status_code == 401
