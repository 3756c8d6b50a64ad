"""A camera that dies, falls silent, changes or never was: what is recorded, and what is told."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.survive.house import CAMERA, House, clips, free_port, stopped
from vigilar_camera_rtsp.demo import Credentials, RtspServer
from vigilar_core.testing import eventually

pytestmark = pytest.mark.rtsp

RIGHT, WRONG = Credentials("joe", "right-7Q"), Credentials("joe", "wrong-8R")


def told(house: House, kind: str, after: int, *, within_s: float = 10.0) -> dict[str, Any]:
    """The first event of a kind behind another one."""
    found = eventually(lambda: house.events(kind, after=after), within_s=within_s, what=kind)
    return found[0] | {"fields": json.loads(found[0]["data"])}


def test_a_camera_that_is_killed_ends_its_recording_and_one_in_its_place_begins_another(
    house: House,
) -> None:
    recording, before, port = house.open_recording(), house.newest(), house.camera.port
    os.kill(house.camera.pid, signal.SIGKILL)
    killed_us = time.time_ns() // 1000
    offline = told(house, "camera_offline", before)
    assert not house.camera.alive
    assert offline["time_us"] - killed_us < 10_000_000
    sealed = house.sealed(recording["id"])
    pictures = house.pictures(sealed)
    assert killed_us - (sealed["start_time_us"] + pictures[-1] * 1e6) < 1_000_000
    assert sealed["ended_by"] == "camera_lost"

    house.camera.stop()
    house.camera = RtspServer({"main": clips()["main"]}, port=port)
    house.camera.start()
    told(house, "camera_online", offline["sequence"])
    assert house.open_recording()["id"] != recording["id"]


def test_a_camera_that_stands_still_is_told_and_found_again(house: House) -> None:
    recording, before = house.open_recording(), house.newest()
    with stopped(house.camera.pid):
        stalled = told(house, "camera_stalled", before)
        assert house.sealed(recording["id"])["ended_by"] == "camera_lost"
    told(house, "camera_online", stalled["sequence"])
    assert house.open_recording()["id"] != recording["id"]


def test_a_camera_replaced_by_others_is_recorded_in_files_of_their_own(house: House) -> None:
    seen = [house.open_recording()]
    for mount in ("small", "h265", "main"):
        before = house.newest()
        house.camera.swap("main", clips()[mount])
        told(house, "camera_online", before)
        seen.append(house.open_recording())
    finished = [house.sealed(each["id"]) for each in seen[:-1]]
    shapes = [
        (each["video_codec"], each["width"], each["height"]) for each in (*finished, seen[-1])
    ]
    assert shapes == [
        ("h264", 640, 360),
        ("h264", 320, 180),
        ("hevc", 640, 360),
        ("h264", 640, 360),
    ]
    for each in finished:
        pictures = house.pictures(each)
        assert len(pictures) == pytest.approx(each["duration_s"] * 25, abs=3)


@contextmanager
def more_cameras(house: House, **urls: str) -> Iterator[None]:
    """Cameras beside the first one while the context is open, by reading the configuration anew."""
    before = house.vigilar.config.read_text()
    assert house.vigilar.process is not None
    for name, url in urls.items():
        with house.vigilar.config.open("a") as file:
            file.write(CAMERA.format(url=url).replace('"hall"', f'"{name}"'))
    house.vigilar.process.send_signal(signal.SIGHUP)
    services = [f"camera:{name}" for name in urls]
    house.vigilar.running(*services)
    try:
        yield
    finally:
        house.vigilar.config.write_text(before)
        house.vigilar.process.send_signal(signal.SIGHUP)
        eventually(lambda: not set(services) & house.vigilar.services().keys(), within_s=20)


def test_a_wrong_password_and_a_camera_that_never_was_cost_the_others_nothing(
    house: House,
) -> None:
    hall, before, port, absent_port = (
        house.open_recording(),
        house.newest(),
        free_port(),
        free_port(),
    )
    main = {"main": clips()["main"]}
    with RtspServer(main, credentials=RIGHT, port=port) as locked:
        absent = RtspServer(main, port=absent_port)
        urls = {
            "locked": locked.url("main", credentials=WRONG),
            "absent": f"rtsp://127.0.0.1:{absent_port}/main",
        }
        with more_cameras(house, **urls):
            eventually(lambda: len(house.events("camera_offline", after=before)) == 2, within_s=15)
            causes = {
                event["subject"]: json.loads(event["data"])["cause"]
                for event in house.events("camera_offline", after=before)
            }
            assert causes == {
                "camera/locked": "authentication_failed",
                "camera/absent": "refused",
            }
            assert house.recordings("locked") == house.recordings("absent") == []

            locked.stop()  # its owner sets the password that the configuration names
            with RtspServer(main, credentials=WRONG, port=port), absent:
                eventually(
                    lambda: house.recordings("locked") and house.recordings("absent"),
                    within_s=30,
                    what="both are recorded",
                )
    assert not house.row(hall["id"])["sealed"]
    steps = itertools.pairwise(house.pictures(hall, sealed=False))
    assert max(later - earlier for earlier, later in steps) < 0.1
    told_of = house.rows("SELECT data FROM events WHERE sequence > :before", before=before)
    assert not any("wrong-8R" in each["data"] for each in told_of)
    assert "wrong-8R" not in house.vigilar.log.read_text()
