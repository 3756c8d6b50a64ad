"""The store on a PostgreSQL server."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from vigilar_core.bus.envelope import Envelope
from vigilar_core.errors import PermanentError
from vigilar_core.events import Event, EventKind, Severity
from vigilar_core.ledger.arrival import Arrival
from vigilar_core.ledger.journal import Journal
from vigilar_core.store.declaration import Projection, Tables
from vigilar_core.store.engine import database_file, open_engine, writing
from vigilar_core.store.migrate import migrate
from vigilar_core.store.opening import open_store
from vigilar_core.store.reading import events_after, last_sequence
from vigilar_core.store.snapshot import snapshot
from vigilar_core.store.tables import event_series, events
from vigilar_core.store.timeline import TimelineFilter, events_per_hour, timeline_page
from vigilar_core.testing import FakeClock

pytestmark = pytest.mark.postgresql


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def fill(engine: Engine, count: int) -> None:
    source = random.Random(1)
    with writing(engine) as connection:
        for number, subject in enumerate(("camera/hall", "camera/yard", "ups"), 1):
            connection.execute(
                sa.insert(event_series).values(
                    id=number, subject=subject, kind="k", severity="info"
                )
            )
        connection.execute(
            sa.insert(events),
            [
                {
                    "id": str(n),
                    "time_us": source.randrange(50),
                    "committed_us": 1,
                    "series": n % 3 + 1,
                    "kind": "k",
                    "severity": "info",
                    "subject": ("camera/hall", "camera/yard", "ups")[n % 3],
                    "source": "s",
                    "topic": "t",
                    "data": "{}",
                    "hops": 0,
                }
                for n in range(count)
            ],
        )


def test_it_migrates_and_keeps_what_it_has(postgresql: Engine, tmp_path: Path) -> None:
    steps = migrate(postgresql, [], snapshots_dir=tmp_path / "copies", time_us=1)
    assert [step.distribution for step in steps] == ["core"]
    assert migrate(postgresql, [], snapshots_dir=tmp_path / "copies", time_us=1) == []
    engine, repair = open_store(
        url_of(postgresql), [], snapshots_dir=tmp_path / "copies", time_us=1
    )
    assert repair is None
    engine.dispose()


def test_pages_are_the_sorted_list(postgresql: Engine) -> None:
    migrate(postgresql, [], snapshots_dir=None, time_us=1)
    fill(postgresql, 200)
    wanted = TimelineFilter(without_subjects=["camera/yard"], from_us=5)
    cursor, found = None, []
    while True:
        page = timeline_page(postgresql, wanted, cursor=cursor, limit=11)
        found += [(event.time_us, event.sequence) for event in page.events]
        if (cursor := page.next) is None:
            break
    everything = [
        (event.time_us, event.sequence)
        for event in events_after(postgresql, 0, 999)
        if event.subject != "camera/yard" and event.time_us >= 5
    ]
    assert found == sorted(everything, reverse=True)
    assert last_sequence(postgresql) == 200
    hours = events_per_hour(postgresql, TimelineFilter(from_us=0, until_us=99))
    assert hours == {0: 200}


def arrival(number: int) -> Arrival:
    envelope = Envelope(f"{number:032x}", number, "ups-nut", number, number, "power_loss", {})
    kind = EventKind("power_loss", "vigilar/ups/power_loss", Severity.CRITICAL, "Power loss")
    return Arrival(kind.topic, envelope, kind, "{}")


def test_a_ledger_commits_each_event_once_and_in_order(postgresql: Engine) -> None:
    migrate(postgresql, [], snapshots_dir=None, time_us=1)
    written: list[int | None] = []

    def project(connection: Connection, event: Event) -> None:
        if event.time_us == 2:
            connection.execute(sa.text("SELECT no_such_column"))
        written.append(event.sequence)

    tables = Tables(sa.MetaData(), Path("/none"), [Projection(["power_loss"], project)])
    journal = Journal(postgresql, FakeClock(), [("vigilar-ups-nut", tables)])
    first = journal.commit([arrival(1), arrival(2), arrival(3)], {"alarm": 1})
    second = journal.commit([arrival(2), arrival(4)], {"alarm": 2})
    assert [event.time_us for event in first.events] == [1, 2, 3]
    assert [event.time_us for event in second.events] == [4]
    assert second.previous == first.head
    assert len(written) == 3
    assert [failure.event.time_us for failure in first.failures] == [2]
    assert journal.cursor("alarm") == 2
    assert [event.time_us for event in journal.after(0, 9)] == [1, 2, 3, 4]


def test_a_reader_cannot_write(postgresql: Engine) -> None:
    migrate(postgresql, [], snapshots_dir=None, time_us=1)
    reader = open_engine(url_of(postgresql), read_only=True)
    with pytest.raises(sa.exc.DBAPIError), reader.begin() as connection:
        connection.execute(sa.delete(events))
    reader.dispose()


def test_commits_wait_for_the_disk_unless_told_otherwise(postgresql: Engine) -> None:
    light = open_engine(url_of(postgresql), synchronous="NORMAL")
    for engine, expected in ((postgresql, "on"), (light, "off")):
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == expected
    light.dispose()


def test_copies_are_the_servers_own_business(postgresql: Engine, tmp_path: Path) -> None:
    assert database_file(url_of(postgresql)) is None
    with pytest.raises(PermanentError, match="pg_dump"):
        snapshot(postgresql, tmp_path / "copy.db")
