"""The ledger's promises: commit before acknowledging, each event once, everybody told in order."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from vigilar_core.bus import topics
from vigilar_core.events import Event
from vigilar_core.store.declaration import Projection, Tables
from vigilar_core.store.engine import open_engine, store_url
from vigilar_core.store.migrate import migrate
from vigilar_core.store.reserve import Reserve
from vigilar_core.store.tables import events, service_cursors
from vigilar_core.testing import FakeClock


def stored(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(
            connection.execute(sa.select(events.c.id).order_by(events.c.sequence)).scalars()
        )


def test_an_event_is_stored_with_all_it_carries(house: Any, engine: Engine) -> None:
    sent = house.send(data={"confidence": 0.5}, caused_by="ab" * 16, hops=2, time_us=17)
    house.ledger.turn()
    with engine.connect() as connection:
        row = connection.execute(sa.select(events)).mappings().one()
    assert (row["id"], row["kind"], row["severity"]) == (sent.id, "motion_start", "notice")
    assert (row["subject"], row["source"]) == ("camera/hall", "camera:hall")
    assert (row["time_us"], row["committed_us"]) == (17, house.clock.time_us())
    assert (row["data"], row["caused_by"], row["hops"]) == ('{"confidence":0.5}', "ab" * 16, 2)


def test_nothing_is_acknowledged_before_it_is_stored(house: Any, engine: Engine) -> None:
    sent = house.send()
    assert house.acknowledged() == []
    house.ledger.turn()
    assert house.acknowledged() == stored(engine) == [sent.id]


def test_a_repeat_is_acknowledged_and_stored_once(
    make_house: Callable[..., Any], engine: Engine
) -> None:
    house = make_house()
    sent = house.send()
    house.ledger.turn()
    again = make_house()
    again.send(id=sent.id)
    again.send(id=sent.id)
    again.ledger.turn()
    assert again.acknowledged() == stored(engine) == [sent.id]
    assert again.committed() == []


def test_everybody_is_told_in_order_and_can_see_that_nothing_is_missing(house: Any) -> None:
    for _ in range(3):
        for _ in range(4):
            house.send()
        house.ledger.turn()
    position = 0
    for batch in house.committed():
        assert batch["previous"] == position
        numbers = [each["sequence"] for each in batch["events"]]
        assert numbers == sorted(numbers)
        position = batch["head"] = numbers[-1]


def test_acknowledgements_go_to_each_publisher_apart(house: Any) -> None:
    mine, yours = house.send("camera:hall"), house.send("ups-nut")
    house.ledger.turn()
    assert (house.acknowledged("camera:hall"), house.acknowledged("ups-nut")) == (
        [mine.id],
        [yours.id],
    )


def test_long_events_are_told_in_several_messages(house: Any) -> None:
    for _ in range(5):
        house.send(data={"text": "x" * 100_000})
    house.ledger.turn()
    assert len(house.committed()) == 3
    assert sum(len(batch["events"]) for batch in house.committed()) == 5


@pytest.mark.parametrize(
    ("topic", "kind", "reason"),
    [
        ("vigilar/camera/hall/dance", "motion_start", "no plugin"),
        ("vigilar/system/ledger_started", "motion_start", "belongs to ledger_started"),
    ],
)
def test_an_event_of_the_wrong_kind_is_refused_and_people_are_told(
    house: Any, engine: Engine, topic: str, kind: str, reason: str
) -> None:
    sent = house.send(topic=topic, kind=kind)
    house.ledger.turn()
    (answer,) = house.bus.on(topics.acknowledgement("camera:hall"))
    assert reason in answer["refused"][sent.id]
    assert stored(engine) == []
    (said,) = house.bus.said("event_rejected")
    assert (said["topic"], said["count"]) == (topic, 1)


def test_complaints_are_counted_together_and_come_seldom(house: Any) -> None:
    for _ in range(500):
        house.send(topic="vigilar/camera/hall/dance")
        house.ledger.turn()
    house.bus.counters["untrusted"] = 70
    house.clock.advance(61)
    house.ledger.turn()
    assert [said["count"] for said in house.bus.said("event_rejected")] == [1, 499]
    assert house.bus.said("messages_untrusted") == [{"count": 70}]


def locked(engine: Engine) -> sqlite3.Connection:
    """Another program that writes and does not end."""
    connection = sqlite3.connect(str(engine.url.database), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection


@pytest.fixture
def impatient(engine: Engine) -> None:
    """Waits for a lock end at once."""

    @sa.event.listens_for(engine, "engine_connect")
    def _hurry(connection: Connection) -> None:
        connection.connection.dbapi_connection.execute("PRAGMA busy_timeout=1")  # type: ignore[union-attr]


@pytest.mark.usefixtures("impatient")
def test_a_locked_database_delays_and_loses_nothing(house: Any, engine: Engine) -> None:
    other = locked(engine)
    sent = [house.send() for _ in range(3)]
    for _ in range(50):
        house.ledger.turn()
        house.clock.advance(0.1)
    assert house.acknowledged() == []
    assert not house.ledger.is_busy
    other.close()
    house.clock.advance(10)
    house.ledger.turn()
    assert house.acknowledged() == stored(engine) == [each.id for each in sent]
    (said,) = house.bus.said("commits_delayed")
    assert said["duration_s"] == pytest.approx(15, abs=1)
    assert "locked" in said["reason"]


@pytest.mark.usefixtures("impatient")
def test_a_long_failure_keeps_a_bounded_number_of_events(house: Any, engine: Engine) -> None:
    other = locked(engine)
    for _ in range(6000):
        house.send()
    assert len(house.ledger._intake) == 5000
    other.close()


def test_a_full_disk_delays_and_loses_nothing(house: Any, engine: Engine) -> None:
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    sent = [house.send(data={"text": "x" * 9000}) for _ in range(3)]
    house.ledger.turn()
    assert house.acknowledged() == []
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    house.clock.advance(10)
    house.ledger.turn()
    assert house.acknowledged() == stored(engine) == [each.id for each in sent]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A volume of eight megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "none", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("only root can make a small volume")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("kept", [True, False])
def test_on_a_full_disk_events_go_into_the_room_kept_back(
    small_disk: Path, make_house: Callable[..., Any], kept: bool
) -> None:
    """With the control: where nothing is kept back, nothing can be stored."""
    engine = open_engine(store_url(small_disk))
    migrate(engine, [], snapshots_dir=None, time_us=1)
    reserve = Reserve(small_disk / "events.reserve", size_bytes=2**20)
    house = make_house(engine=engine, reserve=reserve if kept else None)
    house.send()
    house.ledger.turn()
    fill(small_disk / "recording")
    sent = [house.send(data={"text": "x" * 50_000}) for _ in range(5)]
    house.ledger.turn()
    house.ledger.turn()
    arrived = [each.id for each in sent if each.id in stored(engine)]
    assert arrived == ([each.id for each in sent] if kept else [])
    assert len(house.bus.said("disk_full")) == kept
    assert not reserve.is_kept
    engine.dispose()


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(65_536)):
            pass


def test_room_is_kept_back_again_once_there_is_plenty(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "events.reserve", size_bytes=10_000)
    assert reserve.keep()
    assert (tmp_path / "events.reserve").stat().st_blocks * 512 >= 10_000
    assert reserve.give()
    assert not reserve.give()
    assert reserve.keep()
    assert not Reserve(tmp_path / "huge", size_bytes=2**60).keep()


def test_a_jump_of_the_clock_does_not_disturb_the_order(house: Any, engine: Engine) -> None:
    for jump_s in (0, -30 * 86_400, 60 * 86_400):
        house.clock.jump(jump_s)
        house.send()
        house.ledger.turn()
    numbers = [each["sequence"] for batch in house.committed() for each in batch["events"]]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 3


# ------------------------------------------------------------------------- projections

metadata = sa.MetaData()
sightings = sa.Table("sightings", metadata, sa.Column("sequence", sa.Integer, primary_key=True))


def project(connection: Connection, event: Event) -> None:
    connection.execute(sa.insert(sightings).values(sequence=event.sequence))


def failing(connection: Connection, event: Event) -> None:
    project(connection, event)
    if event.data.get("bad"):
        raise ValueError("no such pet")


def parts_with(apply: Callable[[Connection, Event], None]) -> Any:
    tables = Tables(metadata, Path("/none"), [Projection(["motion_start"], apply)])
    return [("vigilar-pets", tables)]


def test_rows_of_plugins_are_written_with_the_event(
    make_house: Callable[..., Any], engine: Engine
) -> None:
    metadata.create_all(engine)
    house = make_house(parts_with(project))
    house.send()
    house.ledger.turn()
    with engine.connect() as connection:
        assert connection.execute(sa.select(sightings.c.sequence)).scalars().all() == [1]


def test_a_failing_plugin_costs_its_own_row_only(
    make_house: Callable[..., Any], engine: Engine
) -> None:
    metadata.create_all(engine)
    house = make_house(parts_with(failing))
    sent = [house.send(data={"bad": n == 1}) for n in range(3)]
    house.ledger.turn()
    assert house.acknowledged() == stored(engine) == [each.id for each in sent]
    with engine.connect() as connection:
        assert connection.execute(sa.select(sightings.c.sequence)).scalars().all() == [1, 3]
    (said,) = house.bus.said("projection_failed")
    assert said == {"distribution": "vigilar-pets", "kind": "motion_start", "error": "no such pet"}


def test_a_plugin_whose_table_is_missing_costs_its_own_row_only(
    make_house: Callable[..., Any], engine: Engine
) -> None:
    house = make_house(parts_with(project))
    sent = house.send()
    house.ledger.turn()
    assert house.acknowledged() == stored(engine) == [sent.id]
    assert len(house.bus.said("projection_failed")) == 1


# -------------------------------------------------------------------------- readers


def ask(house: Any, after: int | None, *, cursor: bool = False, limit: int = 200) -> Any:
    data = {"reader": "r", "after": after, "cursor": cursor, "limit": limit}
    house.send("web", topics.REPLAY_REQUEST, kind=None, data=data)
    house.ledger.turn()
    return house.bus.on(topics.replay("web"))[-1]


def test_a_reader_gets_what_it_asks_for_in_bounded_answers(house: Any) -> None:
    for _ in range(700):
        house.send()
    while house.ledger.is_busy:
        house.ledger.turn()
    answer = ask(house, 100)
    assert [each["sequence"] for each in answer["events"]] == list(range(101, 301))
    assert answer["head"] == 700
    assert len(ask(house, 0, limit=10**6)["events"]) <= 500
    assert ask(house, None)["events"] == []


def test_the_place_of_a_service_is_remembered_over_restarts(
    make_house: Callable[..., Any], engine: Engine
) -> None:
    house = make_house()
    for _ in range(5):
        house.send()
    house.ledger.turn()
    assert ask(house, None, cursor=True)["after"] is None
    house.send("web", topics.CURSOR, kind=None, data={"position": 3})
    house.ledger.turn()
    answer = ask(make_house(), None, cursor=True)
    assert [each["sequence"] for each in answer["events"]] == [4, 5]


@pytest.mark.parametrize("position", [-1, 10**9, "3", None, 2.5])
def test_an_impossible_place_is_not_remembered(
    house: Any, engine: Engine, position: object
) -> None:
    house.send("web", topics.CURSOR, kind=None, data={"position": position})
    house.ledger.turn()
    with engine.connect() as connection:
        assert connection.execute(sa.select(service_cursors)).all() == []


@pytest.mark.parametrize("data", [{}, {"reader": 3}, {"reader": "r", "limit": "x", "after": 1}])
def test_questions_without_sense_are_left_out(house: Any, data: dict[str, Any]) -> None:
    house.send("web", topics.REPLAY_REQUEST, kind=None, data=data)
    house.ledger.turn()
    assert house.bus.on(topics.replay("web")) == []


def test_readers_hear_the_head_although_nothing_happens(house: Any) -> None:
    house.send()
    house.ledger.turn()
    house.clock.advance(11)
    house.ledger.turn()
    assert house.committed()[-1] == {"previous": 1, "head": 1, "events": []}


def test_publishers_hear_that_the_ledger_listens(make_house: Callable[..., Any]) -> None:
    house = make_house(clock=FakeClock())
    (state,) = house.bus.on(topics.service_state("ledger"))
    assert state == {"state": "online", "listens": True}
    assert house.bus.said("ledger_started") == [{"head": 0}]
