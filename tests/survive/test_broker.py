"""The broker dead or dumb: recording and publishing go on, and everything is told afterwards."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from tests.survive.house import House, is_gone, stopped
from tests.survive.outside_ledger import OutsideLedger
from vigilar_core.testing import eventually

pytestmark = pytest.mark.rtsp


def test_control_with_a_broker_hardly_anything_waits(outside: OutsideLedger) -> None:
    marks = len(outside.notes.published) + 100
    waiting: list[int] = []
    eventually(
        lambda: waiting.append(outside.pending()) or len(outside.notes.published) > marks,
        within_s=30,
    )
    assert sorted(waiting)[len(waiting) // 2] < 100


def test_a_broker_that_stands_still_is_replaced_and_what_waited_is_committed(
    house: House, outside: OutsideLedger
) -> None:
    recording, broker, before = house.open_recording(), house.mosquitto(), house.newest()
    process = psutil.Process(broker)
    with stopped(broker):
        eventually(lambda: outside.pending() > 100, within_s=30, what="events wait")
        eventually(lambda: is_gone(process), within_s=30, what="it is ended")
    eventually(lambda: house.mosquitto() not in (0, broker), within_s=15, what="another one")
    outside.flowing()
    outside.drained()
    assert outside.notes.lost(house.database) == set()
    (failed, *_) = eventually(lambda: house.events("service_failed", after=before))
    assert failed["subject"] == "service/broker"
    assert "has not answered" in failed["data"]
    assert not house.row(recording["id"])["sealed"]


def test_with_neither_broker_nor_supervisor_a_camera_is_recorded_and_its_events_are_kept(
    house: House, outside: OutsideLedger
) -> None:
    recording, before, broker = house.open_recording(), house.newest(), house.mosquitto()
    assert house.vigilar.process is not None
    with stopped(house.vigilar.process.pid):  # nobody may start another broker for a while
        os.kill(broker, signal.SIGKILL)
        eventually(lambda: outside.pending() > 20, what="nobody acknowledges")
        down_us = time.time_ns() // 1000
        house.camera.cut()
        eventually(lambda: house.on_disk() == [], what="the recording ends with the camera")
        house.camera.restore()
        eventually(lambda: house.on_disk(), within_s=15, what="another one begins")
        up_us = time.time_ns() // 1000
        assert not house.events("camera_offline", after=before), "nobody can know yet"
        assert not house.row(recording["id"])["sealed"], "nobody can know yet"
    house.vigilar.running()
    outside.drained()
    for kind in ("camera_offline", "recording_sealed", "camera_online", "recording_started"):
        (event, *_) = eventually(
            lambda kind=kind: house.events(kind, after=before), within_s=20, what=kind
        )
        assert down_us - 5_000_000 <= event["time_us"] <= up_us, kind
    assert house.pictures(house.sealed(recording["id"]))
    assert outside.notes.lost(house.database) == set()
