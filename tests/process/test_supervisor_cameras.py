"""A camera's worker with inline plugins: who gets what, and the order of the end."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3

import pytest

from vigilar_core.testing import Installation, eventually

SOURCE = """
    from fractions import Fraction
    import numpy
    from vigilar_core.context import Service
    from vigilar_core.media import Frame, Packet, Stream

    STREAM = Stream(0, "video", "h264", Fraction(1, 1000), width=8, height=8)

    @hookimpl
    def register_services(settings):
        return [
            Service(f"camera:{id}", inline=True, preload=("numpy",), beat_timeout_s=3.0)
            for id in settings.items("cameras")
        ]

    @hookimpl
    def service_run(context):
        host = context.camera(context.service.name.partition(":")[2])
        host.connected([STREAM])
        number = 0
        while context.wait(0.05):
            number += 1
            now_us, now_s = context.clock.time_us(), context.clock.monotonic_s()
            host.packet(Packet(STREAM, b"x", number, number, 1, True, now_us, now_s))
            pixels = numpy.full((8, 8), number % 256, numpy.uint8)
            host.frame(Frame(host.id, number, pixels, "gray8", now_us, now_s))
            host.tick()
        host.close()
"""
RECORDER = """
    import time
    from vigilar_core.events import EventKind, Severity

    TOPIC = "vigilar/camera/{camera}/recording/sealed"

    @hookimpl
    def register_event_kinds():
        return [EventKind("sealed", TOPIC, Severity.INFO, "Sealed")]

    class Recorder:
        def __init__(self, camera):
            self.camera, self.packets = camera, 0

        def on_packet(self, packet):
            self.packets += 1

        def on_close(self):
            time.sleep(1.0)  # sealing takes its time
            topic = TOPIC.replace("{camera}", self.camera.id)
            self.camera.bus.publish_event(topic, packets=self.packets)

    @hookimpl
    def camera_attach(camera):
        return Recorder(camera)
"""
WATCHER = """
    from vigilar_core.context import Service
    from vigilar_core.events import EventKind, Severity

    seen = []

    @hookimpl
    def register_services(settings):
        return [Service("watcher", beat_timeout_s=3.0)]

    @hookimpl
    def register_event_kinds():
        return [EventKind("watched", "vigilar/watcher/watched", Severity.INFO, "Watched")]

    @hookimpl
    def on_frame(frame):
        seen.append(frame.sequence)

    @hookimpl
    def service_stop(context):
        context.bus.publish_event("vigilar/watcher/watched", frames=len(seen), last=seen[-1])
"""


def events(installation: Installation, kind: str) -> list[str]:
    """Data of the committed events of a kind."""
    path = installation.folder / "data" / "vigilar.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        try:
            rows = database.execute("SELECT data FROM events WHERE kind = ?", (kind,)).fetchall()
        except sqlite3.OperationalError:
            return []  # the ledger is still making its tables
    return [str(row[0]) for row in rows]


@pytest.fixture(scope="module")
def shared_house(shared_workshop) -> Installation:
    for name, body in (("source", SOURCE), ("sealer", RECORDER), ("watcher", WATCHER)):
        shared_workshop.plugin(name, body)
    return shared_workshop.installation('[[cameras]]\nid = "hall"\n[[cameras]]\nid = "yard"\n')


@pytest.fixture
def house(shared_house: Installation) -> Installation:
    """Two cameras and who watches them, running whatever the test before did."""
    if shared_house.process is None:
        shared_house.start("--only", "broker,ledger,watcher,camera:hall,camera:yard")
    shared_house.running()
    eventually(lambda: events(shared_house, "service_started"), within_s=20)
    return shared_house


def test_what_a_camera_says_while_it_seals_is_still_committed(house: Installation) -> None:
    assert house.stop(within_s=10.0) == 0
    assert len(events(house, "sealed")) == 2
    (watched,) = events(house, "watched")
    assert '"frames"' in watched


def test_a_killed_camera_costs_the_other_one_nothing(house: Installation) -> None:
    hall, yard = house.pid("camera:hall"), house.pid("camera:yard")
    os.kill(hall, signal.SIGKILL)
    eventually(
        lambda: (
            house.services()["camera:hall"]["state"] == "running"
            and house.services()["camera:hall"]["pid"] not in (None, hall)
        ),
        within_s=10,
    )
    assert (house.pid("camera:yard"), house.services()["camera:yard"]["restarts"]) == (yard, 0)
    rings = {path.name for path in (house.folder / "run" / "frames").iterdir()}
    assert {"hall.gray8", "yard.gray8"} <= rings


def test_a_fork_server_that_stands_still_is_replaced(house: Installation) -> None:
    server = house.status()["fork_server_pid"]
    os.kill(server, signal.SIGSTOP)
    os.kill(house.pid("watcher"), signal.SIGSTOP)
    eventually(
        lambda: house.status().get("fork_server_pid") not in (None, server),
        within_s=20,
        what="another fork server",
    )
    house.running(within_s=15)
