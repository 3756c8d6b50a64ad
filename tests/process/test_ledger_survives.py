"""Killing ledger, publisher and broker while events flow: nothing acknowledged is ever lost."""

from __future__ import annotations

import importlib.util
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from vigilar_core.bus import Message, topics
from vigilar_core.bus.address import find_mosquitto
from vigilar_core.bus.client import MqttBus
from vigilar_core.bus.envelope import Envelope
from vigilar_core.events import Event
from vigilar_core.testing import eventually

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")

#: For trials that take minutes.
TORTURE = [pytest.mark.torture, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("ledger_program.py")
_spec = importlib.util.spec_from_file_location("ledger_program", PROGRAM)
assert _spec is not None
assert _spec.loader is not None
program = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(program)


class House:
    """Processes of one installation and somebody outside who watches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[str]] = []
        self.acknowledged: set[str] = set()
        self.seen: list[Event] = []
        self.watcher: MqttBus = program.make_bus(folder, "watcher", spool=False)
        self.watcher.subscribe_raw("vigilar/ledger/acknowledgement/#", self._acknowledgement)
        self.watcher.subscribe_events(self.seen.append, after=0)
        self.watcher.start()

    def _acknowledgement(self, topic: str, envelope: Envelope) -> None:
        self.acknowledged.update(envelope.data["ids"])

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(self.folder), *map(str, arguments)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.processes.append(process)
        return process

    def start_ledger(self, role: str = "ledger") -> subprocess.Popen[str]:
        """A ledger that listens."""
        before_us = time.time_ns() // 1000
        listening: list[int] = []

        def hear(message: Message) -> None:
            if message.data.get("listens") and message.sent_us > before_us:
                listening.append(message.sent_us)

        self.watcher.subscribe(topics.service_state("ledger"), hear)
        process = self.start(role)
        self.until(lambda: listening, "a ledger", within_s=60)
        return process

    def kill(self, process: subprocess.Popen[str]) -> str:
        """Kill a process and return the rest of what it printed."""
        process.kill()
        rest = process.stdout.read() if process.stdout is not None else ""
        process.wait()
        return rest

    def until(self, condition: Any, what: str, within_s: float = 40) -> None:
        eventually(
            lambda: self.watcher.deliver(500) >= 0 and condition(), within_s=within_s, what=what
        )

    def watch_for(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end_s, "time")

    def stored(self) -> list[str]:
        """Ids in the order of the ledger, read as nobody's client."""
        path = self.folder / "data" / "vigilar.db"
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute(
                "SELECT id FROM events WHERE kind = 'motion_start' ORDER BY sequence"
            )
            return [event_id for (event_id,) in rows]

    def seen_motions(self) -> list[str]:
        return [event.id for event in self.seen if event.kind == "motion_start"]

    def close(self) -> None:
        self.watcher.close()
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    yield found
    found.close()


def finish(house: House, *publishers: subprocess.Popen[str]) -> list[list[str]]:
    """Let publishers end by themselves; what each has published, in its order."""
    house.until(lambda: all(each.poll() is not None for each in publishers), "publishers' end", 120)
    outputs = [each.stdout.read().split() for each in publishers if each.stdout is not None]
    house.until(lambda: len(house.seen_motions()) == len(house.stored()), "watcher's end")
    return outputs


def check_everything(house: House, published: list[list[str]]) -> None:
    stored = house.stored()
    assert sorted(stored) == sorted(each for ids in published for each in ids)
    for ids in published:
        assert [each for each in stored if each in set(ids)] == ids
    numbers = [event.sequence for event in house.seen]
    assert numbers == sorted(set(numbers))  # type: ignore[type-var]
    assert house.seen_motions() == stored


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=TORTURE)])
def test_killed_ledgers_lose_nothing_they_acknowledged(house: House, kills: int) -> None:
    house.start("broker")
    ledger = house.start_ledger()
    count = 100 * (kills + 1)
    publishers = [house.start("publisher", name, count, 0.01) for name in ("hall", "yard")]
    source = random.Random(7)
    for _ in range(kills):
        house.watch_for(0.4 + source.random() * 0.3)
        house.kill(ledger)
        house.watch_for(0.2)
        assert house.acknowledged <= set(house.stored()) | not_motion(house)
        ledger = house.start_ledger()
    check_everything(house, finish(house, *publishers))


def not_motion(house: House) -> set[str]:
    """Ids of the ledger's own events."""
    with closing(sqlite3.connect(house.folder / "data" / "vigilar.db")) as connection:
        rows = connection.execute("SELECT id FROM events WHERE kind <> 'motion_start'")
        return {event_id for (event_id,) in rows}


def test_control_a_ledger_that_acknowledges_first_loses_events(house: House) -> None:
    house.start("broker")
    ledger = house.start_ledger("careless-ledger")
    house.start("publisher", "hall", 400, 0.005)
    house.until(lambda: len(house.acknowledged) > 100, "acknowledgements")
    house.kill(ledger)
    house.watch_for(0.2)
    assert not house.acknowledged <= set(house.stored()) | not_motion(house)


def published_without_ledger(house: House, count: int) -> list[str]:
    """A publisher killed while it waits for a ledger that is not there."""
    publisher = house.start("publisher", "hall", count, 0)
    assert publisher.stdout is not None
    ids = [publisher.stdout.readline().strip() for _ in range(count)]
    house.kill(publisher)
    return ids


def test_what_a_killed_publisher_had_published_arrives(house: House) -> None:
    ids = published_without_ledger(house, 200)
    house.start("broker")
    house.start_ledger()
    publisher = house.start("publisher", "hall", 0, 0)
    finish(house, publisher)
    assert house.stored() == ids


def test_control_without_its_spool_nothing_of_it_arrives(house: House) -> None:
    published_without_ledger(house, 200)
    (house.folder / "data" / "spool" / "hall.spool").unlink()
    house.start("broker")
    house.start_ledger()
    finish(house, house.start("publisher", "hall", 1, 0))
    assert len(house.stored()) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_killed_or_stopped_broker_loses_nothing(house: House, number: signal.Signals) -> None:
    keeper = house.start("broker")
    house.start_ledger()
    publisher = house.start("publisher", "hall", 200, 0.01)
    for _ in range(2 if number == signal.SIGKILL else 1):
        house.until(lambda: len(house.acknowledged) > 20, "acknowledgements")
        os.kill(child_of(keeper.pid), number)
        house.acknowledged.clear()
        house.until(lambda: house.acknowledged, "acknowledgements by a new broker", 30)
    check_everything(house, finish(house, publisher))


def child_of(pid: int) -> int:
    children = eventually(
        lambda: Path(f"/proc/{pid}/task/{pid}/children").read_text().split(), what="broker"
    )
    return int(children[0])


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=TORTURE)])
def test_a_long_queue_arrives_whole_and_in_order(house: House, count: int) -> None:
    publisher = house.start("publisher", "hall", count, 0)
    assert publisher.stdout is not None
    ids = [publisher.stdout.readline().strip() for _ in range(count)]
    house.start("broker")
    house.start_ledger()
    house.until(lambda: publisher.poll() is not None, "publisher's end", 300)
    assert house.stored() == ids
