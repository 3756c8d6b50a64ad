"""Events through real processes: none is lost whoever is killed, the supervisor's own neither."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from vigilar_core.testing import Installation, eventually

SENDER = """
    from vigilar_core.context import Service
    from vigilar_core.events import EventKind, Severity

    @hookimpl
    def register_event_kinds():
        return [EventKind("tick", "vigilar/sender/tick", Severity.INFO, "Tick {number}")]

    @hookimpl
    def register_services(settings):
        return [Service("sender", beat_timeout_s=3.0, poll_interval_s=0.05)]

    @hookimpl
    def poll(context):
        path = context.paths.data_dir / "sent"
        number = int(path.read_text()) + 1 if path.exists() else 1
        context.bus.publish_event("vigilar/sender/tick", number=number)
        path.with_suffix(".new").write_text(str(number))
        path.with_suffix(".new").replace(path)
"""
LISTENER = """
    import json, os, pathlib

    @hookimpl
    def on_event(event):
        line = {"sequence": event.sequence, "kind": event.kind, "topic": event.topic}
        line.update(event.data)
        with open(os.environ["HEARD"], "a") as file:
            file.write(json.dumps(line) + "\\n")
"""


class House:
    """An installation whose listener writes down every event it is given."""

    def __init__(self, installation: Installation, heard: Path) -> None:
        self.installation = installation
        self._heard = heard

    def heard(self, **wanted: Any) -> list[dict[str, Any]]:
        lines = self._heard.read_text().splitlines() if self._heard.exists() else []
        events = [json.loads(line) for line in lines]
        return [event for event in events if wanted.items() <= event.items()]

    def committed(self) -> list[int]:
        """Sequence numbers that the ledger has given."""
        path = self.installation.folder / "data" / "vigilar.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT sequence FROM events ORDER BY sequence").fetchall()
        return [row[0] for row in rows]

    def missing(self, last: int) -> set[int]:
        """Ticks up to this one that were sent since the first one heard, and never heard."""
        numbers = {event["number"] for event in self.heard(kind="tick")}
        return set(range(min(numbers), last + 1)) - numbers

    def sent(self) -> int:
        path = self.installation.folder / "data" / "sent"
        return int(path.read_text()) if path.exists() else 0


@pytest.fixture(scope="module")
def shared_house(shared_workshop) -> House:
    shared_workshop.plugin("sender", SENDER)
    shared_workshop.plugin("listener", LISTENER)
    heard = shared_workshop.folder / "heard"
    installation = shared_workshop.installation(variables={"HEARD": str(heard)})
    installation.start("--only", "broker,ledger,sender,listener")
    installation.running()
    found = House(installation, heard)
    eventually(found.heard, within_s=20)  # from now on the ledger knows where the listener is
    return found


@pytest.fixture
def house(shared_house: House) -> House:
    """The same, with everything running, whatever the test before did to it."""
    shared_house.installation.running()
    return shared_house


def test_no_event_is_lost_or_out_of_order_whoever_is_killed(house: House) -> None:
    for service in ("listener", "ledger", "sender", "broker"):
        before = house.sent()
        eventually(lambda before=before: house.sent() > before + 5)
        pid = house.installation.pid(service)
        os.kill(pid, signal.SIGKILL)
        eventually(
            lambda service=service, pid=pid: (
                house.installation.services()[service]["pid"] not in (None, pid)
            ),
            within_s=10,
        )
    house.installation.running(within_s=15)
    last = house.sent()
    eventually(lambda: not house.missing(last), within_s=30, what="all ticks are heard")
    sequences = [event["sequence"] for event in house.heard()]
    committed = [number for number in house.committed() if number >= sequences[0]]
    assert set(committed[: committed.index(sequences[-1]) + 1]) == set(sequences)
    steps = itertools.pairwise(sequences)
    assert sum(later <= earlier for earlier, later in steps) <= 1  # after its own death only


def test_the_supervisors_own_events_reach_the_ledger(house: House) -> None:
    os.kill(house.installation.pid("sender"), signal.SIGKILL)
    failed = eventually(lambda: house.heard(topic="vigilar/service/sender/failed"), within_s=15)
    assert "SIGKILL" in failed[0]["reason"]
    eventually(lambda: house.heard(topic="vigilar/service/sender/started"), within_s=15)


def test_what_happens_while_the_ledger_is_away_is_told_when_it_is_back(house: House) -> None:
    before = len(house.heard(topic="vigilar/service/ledger/failed"))
    pid = house.installation.pid("ledger")
    os.kill(pid, signal.SIGKILL)
    failed = eventually(
        lambda: house.heard(topic="vigilar/service/ledger/failed")[before:], within_s=20
    )
    assert "SIGKILL" in failed[0]["reason"]


def test_a_reload_is_an_event_whether_it_is_taken_or_refused(house: House) -> None:
    house.installation.process.send_signal(signal.SIGHUP)
    taken = eventually(lambda: house.heard(kind="configuration_reloaded"), within_s=20)
    assert taken[0]["restarted"] == "nothing"
    with house.installation.config.open("a") as file:
        file.write("[sistem]\n")
    house.installation.process.send_signal(signal.SIGHUP)
    refused = eventually(lambda: house.heard(kind="configuration_refused"), within_s=20)
    assert "sistem" in refused[0]["reason"]
