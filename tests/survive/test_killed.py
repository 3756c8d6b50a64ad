"""kill -9 of each process in turn, while events flow and a recording runs."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from tests.survive.house import House, decoded, is_gone
from tests.survive.outside_ledger import Notes, OutsideLedger
from vigilar_core.testing import eventually

pytestmark = [pytest.mark.rtsp, pytest.mark.timeout(180)]

#: Every service runs again so soon after a kill on a machine of its own, seconds.
BACK_S: Final = 10.0
#: What a killed recorder may lose there, seconds of video.
TAIL_S: Final = 1.0

#: How each process is found; 0 while there is none.
PROCESSES: Final[dict[str, Callable[[House], int]]] = {
    "ledger": lambda house: worker(house, "ledger"),
    "web": lambda house: worker(house, "web"),
    "mosquitto": lambda house: house.mosquitto(),
    "broker": lambda house: worker(house, "broker"),
    "camera": lambda house: worker(house, "camera:hall"),
    "forkserver": lambda house: int(house.vigilar.status().get("fork_server_pid") or 0),
    "supervisor": lambda house: int(house.vigilar.status().get("pid") or 0),
}
#: Those whose death ends the process that records.
ENDS_RECORDING: Final = {"camera", "forkserver", "supervisor"}


def worker(house: House, service: str) -> int:
    return int(house.vigilar.services().get(service, {}).get("pid") or 0)


def kill(house: House, name: str) -> int:
    """End one process, wait until all are back in time; return when, on the wall clock in µs.

    A killed supervisor is started again at once, as systemd would.
    """
    victim = psutil.Process(PROCESSES[name](house))
    killed_us, began_s, back_s = time.time_ns() // 1000, time.monotonic(), BACK_S * house.slowness
    os.kill(victim.pid, signal.SIGKILL)
    if name == "supervisor":
        assert house.vigilar.process is not None
        assert house.vigilar.process.wait(5) == -signal.SIGKILL
        house.vigilar.start()
    eventually(lambda: is_gone(victim), what=f"{name} is dead")
    another = lambda: PROCESSES[name](house) not in (0, victim.pid)  # noqa: E731
    eventually(another, within_s=back_s, what=f"another {name}")
    house.vigilar.running(within_s=back_s)
    assert time.monotonic() - began_s <= back_s
    return killed_us


def orphans(house: House, before: list[psutil.Process]) -> list[psutil.Process]:
    """Processes of before that run on and belong to nobody."""
    now = {each.pid for each in house.processes()}
    return [each for each in before if not is_gone(each) and each.pid not in now]


def tail_lost_s(house: House, recording: dict[str, Any], killed_us: int) -> float:
    """Seconds between the last picture that was kept and the kill."""
    pictures = house.pictures(recording, sealed=bool(recording["sealed"]))
    last_us = recording["start_time_us"] + round(pictures[-1] * 1e6)
    return float((killed_us - last_us) / 1e6)


@pytest.mark.parametrize("name", PROCESSES)
def test_whoever_is_killed_nothing_is_lost_and_all_are_back(
    house: House, outside: OutsideLedger, name: str
) -> None:
    recording, before = house.open_recording(), house.processes()
    killed_us = kill(house, name)
    eventually(lambda: not orphans(house, before), what="no orphan")

    outside.flowing()
    outside.drained()
    assert outside.notes.lost(house.database) == set()

    if name in ENDS_RECORDING:
        sealed = house.sealed(recording["id"])
        assert sealed["recovered"]
        assert tail_lost_s(house, sealed, killed_us) <= TAIL_S * house.slowness
        assert house.open_recording()["id"] != recording["id"]
    else:
        eventually(lambda: tail_lost_s(house, recording, killed_us) < 0, what="it records on")
        assert not house.row(recording["id"])["sealed"], "one recording, across the fault"
        kept = house.pictures(recording, sealed=False)
        assert max(b - a for a, b in itertools.pairwise(kept)) < 0.1


def test_control_the_outside_ledger_sees_what_a_database_lacks(
    house: House, outside: OutsideLedger, tmp_path: Path
) -> None:
    outside.drained()
    notes = Notes([], set(outside.notes.acknowledged), list(outside.notes.committed))
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(house.database)) as source, closing(sqlite3.connect(copy)) as to:
        source.backup(to)
    assert notes.lost(copy) == set()
    (_, second), (third_number, third) = notes.committed[1:3]
    with closing(sqlite3.connect(copy)) as database, database:
        database.execute("DELETE FROM events WHERE id = ?", (second,))
    assert notes.lost(copy) == {second}
    with closing(sqlite3.connect(copy)) as database, database:
        database.execute("UPDATE events SET sequence = 1000000 WHERE sequence = ?", (third_number,))
    assert notes.lost(copy) == {second, third}


def test_control_a_recorder_that_keeps_its_last_seconds_to_itself_would_be_seen(
    house: House, tmp_path: Path
) -> None:
    recording = house.open_recording()
    eventually(lambda: len(house.pictures(recording, sealed=False)) > 100, within_s=15)
    now_us = time.time_ns() // 1000
    copy = Path(shutil.copy(house.path(recording), tmp_path / "cut.vge"))
    key = house.vigilar.storage_key
    whole = decoded(copy, key, sealed=False)
    os.truncate(copy, copy.stat().st_size // 2)
    cut = decoded(copy, key, sealed=False)
    lost_s = [(now_us - recording["start_time_us"]) / 1e6 - each[-1] for each in (whole, cut)]
    assert lost_s[0] + TAIL_S < lost_s[1]


def test_notes_without_a_loss_show_none(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as database:
        database.execute("CREATE TABLE events (sequence INTEGER, id TEXT)")
        database.execute("INSERT INTO events VALUES (1, 'a')")
        database.commit()
    assert Notes(["a"], {"a"}, [(1, "a")]).lost(tmp_path / "x.db") == set()
    assert Notes(["a"], {"a", "b"}, [(2, "a")]).lost(tmp_path / "x.db") == {"a", "b"}


@pytest.mark.torture
@pytest.mark.timeout(7200)
def test_a_thousand_kills_at_random_instants_lose_nothing(
    house: House, outside: OutsideLedger
) -> None:
    chance = random.Random(1)
    for _ in range(1000):
        name = chance.choice(list(PROCESSES))
        recording, before = house.open_recording(), house.processes()
        mark_s = time.monotonic() + chance.random()
        eventually(lambda mark_s=mark_s: time.monotonic() > mark_s)
        killed_us = kill(house, name)
        eventually(lambda before=before: not orphans(house, before), what="no orphan")
        outside.flowing()
        assert outside.notes.lost(house.database) == set()
        if name in ENDS_RECORDING:
            lost_s = tail_lost_s(house, house.sealed(recording["id"]), killed_us)
            assert lost_s <= TAIL_S * house.slowness
