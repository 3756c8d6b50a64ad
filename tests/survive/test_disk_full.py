"""Full disks under recordings and under the database, on small file systems of the test's own."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.survive.house import House
from tests.survive.outside_ledger import OutsideLedger
from vigilar_core.testing import eventually

pytestmark = [
    pytest.mark.rtsp,
    pytest.mark.timeout(240),
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root"),
]


@contextmanager
def full(folder: Path, leave_bytes: int = 0) -> Iterator[None]:
    """A disk with hardly any room while the context is open."""
    ballast = folder / "ballast"
    disk = os.statvfs(folder)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_frsize - leave_bytes)
    assert os.statvfs(folder).f_bavail * disk.f_frsize <= leave_bytes
    try:
        yield
    finally:
        ballast.unlink()


def free_bytes(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def test_a_full_recordings_disk_is_told_once_and_costs_neither_events_nor_the_web(
    house: House, outside: OutsideLedger
) -> None:
    recording, before = house.open_recording(), house.newest()
    disk = house.vigilar.folder / "recordings"
    with full(disk, leave_bytes=300_000):
        (failed,) = eventually(
            lambda: house.events("recording_failed", after=before), within_s=40, what="it fails"
        )
        assert json.loads(failed["data"])["cause"] == "disk_full"
        assert free_bytes(disk) < 300_000
        # Longer than the recorder waits between two tries.
        until_s = time.monotonic() + 18
        eventually(lambda: time.monotonic() > until_s, within_s=20)
        outside.flowing()
        assert house.get("/health/live") == 200
        assert len(house.events("recording_failed", after=before)) == 1
        assert house.on_disk() == []
    returned_s = time.monotonic()
    resumed = house.open_recording(within_s=60)
    assert time.monotonic() - returned_s < 60
    assert resumed["id"] != recording["id"]
    (news,) = eventually(lambda: house.events("recording_resumed", after=before))
    assert json.loads(news["data"]) == {"after": "disk_full"}
    kept = house.sealed(recording["id"])
    assert kept["ended_by"] == "failed"
    assert len(house.pictures(kept)) > 25
    outside.drained()
    assert outside.notes.lost(house.database) == set()


def test_a_full_data_disk_loses_nothing_acknowledged_and_everything_goes_on_afterwards(
    house: House, outside: OutsideLedger
) -> None:
    recording, before = house.open_recording(), house.newest()
    pids = {name: each["pid"] for name, each in house.vigilar.services().items()}
    with full(house.vigilar.folder / "data"):
        eventually(lambda: outside.pending() > 150, within_s=30, what="nobody acknowledges")
        assert house.get("/health/live") == 200
        house.camera.cut()
        eventually(lambda: house.on_disk() == [], what="the recording ends with the camera")
        house.camera.restore()
        eventually(house.on_disk, within_s=15, what="another one begins")
    outside.flowing(within_s=40)
    outside.drained(within_s=40)
    assert outside.notes.lost(house.database) == set()
    for kind in ("camera_offline", "camera_online", "recording_started"):
        eventually(lambda kind=kind: house.events(kind, after=before), within_s=20, what=kind)
    assert house.sealed(recording["id"])["ended_by"] == "camera_lost"
    house.ready()
    assert {name: each["pid"] for name, each in house.vigilar.services().items()} == pids


def test_control_the_same_disks_with_room_cost_nothing(
    house: House, outside: OutsideLedger
) -> None:
    before = house.newest()
    outside.flowing()
    outside.drained()
    assert free_bytes(house.vigilar.folder / "recordings") > 8 << 20
    for kind in ("recording_failed", "commits_delayed", "service_failed"):
        assert house.events(kind, after=before) == []
