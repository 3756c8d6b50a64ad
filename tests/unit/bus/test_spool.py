"""The spool: events wait there through crashes, torn writes, damage and full disks."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from vigilar_core.bus.spool import Spool, SpooledEvent
from vigilar_core.errors import NotReadyError
from vigilar_core.events import Severity


def make_event(number: int, severity: Severity = Severity.INFO, text: str = "") -> SpooledEvent:
    members: dict[str, Any] = {
        "id": f"{number:032x}",
        "seq": number,
        "time_us": number,
        "kind": "motion_start",
        "data": {"text": text},
        "caused_by": None,
        "hops": 0,
    }
    return SpooledEvent("vigilar/camera/hall/motion/start", severity, members)


def numbers(events: list[SpooledEvent]) -> list[int]:
    return [event.members["seq"] for event in events]


def filled(path: Path, count: int) -> Spool:
    spool = Spool(path)
    for number in range(1, count + 1):
        spool.append(make_event(number))
    return spool


def test_events_come_out_in_order_and_unchanged(tmp_path: Path) -> None:
    spool = filled(tmp_path / "a.spool", 3)
    assert spool.take(2) == [make_event(1), make_event(2)]
    assert spool.take(9) == [make_event(3)]
    assert not spool.waiting
    spool.close()


def test_only_acknowledged_events_are_forgotten(tmp_path: Path) -> None:
    spool = filled(tmp_path / "a.spool", 4)
    taken = spool.take(4)
    spool.acknowledge([taken[0].id, taken[2].id, "unknown"])
    assert spool.pending == 2
    spool.close()
    again = Spool(tmp_path / "a.spool")
    # What lies behind the oldest owed event comes again: the ledger knows its id.
    assert numbers(again.take(9)) == [2, 3, 4]
    again.close()


def test_an_empty_spool_takes_no_room(tmp_path: Path) -> None:
    spool = filled(tmp_path / "a.spool", 100)
    spool.acknowledge(event.id for event in spool.take(100))
    assert (spool.pending, spool.size_bytes) == (0, 0)
    assert (tmp_path / "a.spool").stat().st_size < 100
    spool.close()


def test_sequence_numbers_go_on_after_everything_was_acknowledged(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a.spool")
    last = [spool.next_seq() for _ in range(5)][-1]
    spool.append(make_event(last))
    spool.acknowledge(event.id for event in spool.take(1))
    spool.close()
    again = Spool(tmp_path / "a.spool")
    assert again.next_seq() == last + 1
    again.close()


@pytest.mark.parametrize("cut", [1, 5, 11, 40])
def test_a_torn_last_frame_costs_only_itself(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.spool"
    filled(path, 3).close()
    os.truncate(path, path.stat().st_size - cut)
    spool = Spool(path)
    assert spool.damaged_bytes > 0
    spool.append(make_event(4))
    assert numbers(spool.take(9)) == [1, 2, 4]
    spool.close()


def test_damage_in_the_middle_costs_only_its_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    filled(path, 50).close()
    data = bytearray(path.read_bytes())
    place = data.index(f"{25:032x}".encode())
    data[place] ^= 0xFF
    path.write_bytes(data)
    spool = Spool(path)
    assert numbers(spool.take(99)) == [number for number in range(1, 51) if number != 25]
    spool.close()


def test_long_events_are_found_too(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    spool = Spool(path)
    for number in range(1, 6):
        spool.append(make_event(number, text="x" * (number % 2 * 200_000)))
    spool.close()
    again = Spool(path)
    assert (again.pending, numbers(again.take(9))) == (5, [1, 2, 3, 4, 5])
    again.close()


def test_a_file_of_noise_becomes_an_empty_spool(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    path.write_bytes(os.urandom(5000))
    spool = Spool(path)
    assert spool.pending == 0
    spool.append(make_event(1))
    assert numbers(spool.take(1)) == [1]
    spool.close()


def test_without_room_the_least_severe_and_oldest_go_first(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a.spool", limit_bytes=20_000)
    severities = [Severity.CRITICAL, Severity.DEBUG, Severity.NOTICE]
    for number in range(300):
        spool.append(make_event(number, severities[number % 3]))
    kept = spool.take(1000)
    assert spool.size_bytes <= 20_000
    assert spool.dropped.total() == 300 - len(kept)
    assert spool.dropped[Severity.CRITICAL] < spool.dropped[Severity.DEBUG] <= 100
    lost_critical = [n for n in range(0, 300, 3) if n not in numbers(kept)]
    assert lost_critical == list(range(0, 3 * len(lost_critical), 3))
    spool.close()


def test_it_compacts_by_itself_while_events_come_and_go(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    spool, largest = filled(path, 10), 0
    for number in range(11, 15_000):
        spool.append(make_event(number, text="x" * 200))
        spool.acknowledge(event.id for event in spool.take(1))
        largest = max(largest, path.stat().st_size)
    assert spool.pending == 10
    assert largest < 2_000_000
    assert numbers(spool.take(99)) == list(range(14_990, 15_000))
    spool.close()


def test_two_processes_cannot_hold_one_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a.spool")
    with pytest.raises(NotReadyError, match="another process"):
        Spool(tmp_path / "a.spool")
    spool.close()
    Spool(tmp_path / "a.spool").close()


def test_a_full_disk_keeps_events_in_memory_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = filled(tmp_path / "a.spool", 1)
    real = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> int:
        return real(descriptor, data[: len(data) // 2], offset)

    monkeypatch.setattr(os, "pwrite", full)
    spool.append(make_event(2))
    spool.append(make_event(3))
    monkeypatch.setattr(os, "pwrite", real)
    assert spool.pending == 3
    assert numbers(spool.take(1)) == [1]
    spool.close()
    again = Spool(tmp_path / "a.spool")
    assert numbers(again.take(9)) == [1, 2, 3]
    again.close()


KILLED = """
import itertools, sys
from pathlib import Path
from vigilar_core.bus.spool import Spool, SpooledEvent
from vigilar_core.events import Severity
spool = Spool(Path(sys.argv[1]))
for number in itertools.count(1):
    members = {"id": f"{number:032x}", "seq": number, "time_us": 1, "kind": "k",
               "data": {}, "caused_by": None, "hops": 0}
    spool.append(SpooledEvent("vigilar/t", Severity.INFO, members))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_nothing_appended_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) >= 500:
                child.kill()
                break
        appended = max([500, *map(int, filter(str.strip, child.stdout.read().split()))])
    spool = Spool(path)
    assert numbers(spool.take(10**6))[:appended] == list(range(1, appended + 1))
    spool.close()


class SpoolMachine(RuleBasedStateMachine):
    """The spool against a list, through any order of its methods."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "a.spool"
        self.spool = Spool(self.path)
        self.owed: list[int] = []
        self.taken: list[int] = []
        self.number = 0

    @rule(size=st.integers(0, 3000))
    def append(self, size: int) -> None:
        self.number += 1
        self.spool.append(make_event(self.number, text="x" * size))
        self.owed.append(self.number)

    @rule(limit=st.integers(1, 5))
    def take(self, limit: int) -> None:
        found = numbers(self.spool.take(limit))
        assert found == [number for number in self.owed if number not in self.taken][:limit]
        self.taken += found

    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sets(st.sampled_from(self.taken))) if self.taken else set()
        self.spool.acknowledge(f"{number:032x}" for number in chosen)
        self.owed = [number for number in self.owed if number not in chosen]
        self.taken = [number for number in self.taken if number not in chosen]

    @rule()
    def compact(self) -> None:
        self.spool._rewrite(drop_bytes=0)

    @rule()
    def reopen(self) -> None:
        oldest = min(self.owed, default=self.number + 1)
        self.spool.close()
        self.spool = Spool(self.path)
        found = numbers(self.spool.take(10**6))
        # Acknowledged events behind the oldest owed one may come again; none may be missing.
        assert [number for number in found if number in self.owed] == self.owed
        assert all(number >= oldest for number in found)
        self.owed, self.taken = found, list(found)

    @invariant()
    def counts(self) -> None:
        if hasattr(self, "spool"):
            assert self.spool.pending == len(self.owed)

    def teardown(self) -> None:
        if hasattr(self, "spool"):
            self.spool.close()
            self.folder.cleanup()


TestSpoolMachine = SpoolMachine.TestCase
TestSpoolMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
