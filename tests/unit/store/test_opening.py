"""A damaged database: moved aside, read as far as it goes, told of, never silently empty."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from vigilar_core.store.check import look_for_damage
from vigilar_core.store.engine import open_engine, store_url, writing
from vigilar_core.store.migrate import FutureDatabaseError, migrate
from vigilar_core.store.opening import Repair, open_store, suspect
from vigilar_core.store.reading import events_after, last_sequence
from vigilar_core.store.snapshot import snapshot
from vigilar_core.store.tables import event_series, events, service_cursors

COUNT = 3000
NOW_US = 1_767_225_600_000_000


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a database with events."""
    folder = tmp_path_factory.mktemp("sound")
    engine = open_engine(store_url(folder))
    migrate(engine, [], snapshots_dir=None, time_us=1)
    with writing(engine) as connection:
        for number, kind in enumerate(("motion_start", "door_open"), 1):
            values = {"id": number, "subject": "camera/hall", "kind": kind, "severity": "info"}
            connection.execute(sa.insert(event_series).values(values))
        connection.execute(
            sa.insert(events),
            [
                {
                    "id": f"{n:032x}",
                    "time_us": n,
                    "committed_us": n,
                    "series": n % 2 + 1,
                    "kind": ("motion_start", "door_open")[n % 2],
                    "severity": "info",
                    "subject": "camera/hall",
                    "source": "camera:hall",
                    "topic": "vigilar/t",
                    "data": f'{{"n": {n}}}',
                    "caused_by": None,
                    "hops": 0,
                }
                for n in range(COUNT)
            ],
        )
        row = {"service": "alarm", "position": 17, "updated_us": 1}
        connection.execute(sa.insert(service_cursors).values(row))
    engine.dispose()
    return (folder / "vigilar.db").read_bytes()


def opened(folder: Path) -> tuple[Engine, Repair | None]:
    return open_store(store_url(folder), [], snapshots_dir=folder / "snapshots", time_us=NOW_US)


def flip(data: bytearray, source: random.Random) -> None:
    for _ in range(source.randint(1, 60)):
        data[source.randrange(4096, len(data))] ^= 1 << source.randrange(8)


def overwrite(data: bytearray, source: random.Random) -> None:
    start = source.randrange(4096, len(data) - 8192)
    data[start : start + 8192] = source.randbytes(8192)


def truncate(data: bytearray, source: random.Random) -> None:
    del data[source.randrange(4096, len(data)) :]


def no_header(data: bytearray, source: random.Random) -> None:
    data[:100] = bytes(100)


def nothing_left(data: bytearray, source: random.Random) -> None:
    data.clear()


def noise(data: bytearray, source: random.Random) -> None:
    data[:] = source.randbytes(len(data))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("damage", [flip, overwrite, truncate, no_header, nothing_left, noise])
def test_damage_is_told_and_what_is_kept_is_sound(
    tmp_path: Path, sound: bytes, damage: Callable[[bytearray, random.Random], None], seed: int
) -> None:
    database = tmp_path / "vigilar.db"
    database.write_bytes(sound)
    engine, repair = opened(tmp_path)
    engine.dispose()
    assert repair is None
    data = bytearray(sound)
    damage(data, random.Random(seed))
    database.write_bytes(data)
    engine, repair = opened(tmp_path)
    kept = events_after(engine, 0, 2 * COUNT)
    engine.dispose()
    if repair is None:
        # What changed are letters inside a row: no check of the structure can see that.
        assert len(kept) == COUNT
    else:
        assert repair.events == len(kept)
        assert look_for_damage(database) == []
        if repair.moved_to:
            assert Path(repair.moved_to).read_bytes() == data


def test_most_events_outlive_a_few_flipped_bits(tmp_path: Path, sound: bytes) -> None:
    data = bytearray(sound)
    source = random.Random(4)
    for _ in range(30):
        data[source.randrange(len(data) // 2, len(data))] ^= 0xFF
    (tmp_path / "vigilar.db").write_bytes(data)
    engine, repair = opened(tmp_path)
    assert repair is not None
    assert repair.events > 0.9 * COUNT
    engine.dispose()


def test_an_emptied_database_opens_silently_if_nobody_looks(tmp_path: Path, sound: bytes) -> None:
    """Control: what the marks and the look into the file are for."""
    (tmp_path / "vigilar.db").write_bytes(b"")
    engine = open_engine(store_url(tmp_path))
    migrate(engine, [], snapshots_dir=None, time_us=1)
    assert last_sequence(engine) == 0
    engine.dispose()


@pytest.mark.parametrize("damage", [truncate, no_header, nothing_left, noise])
def test_numbers_never_come_again(
    tmp_path: Path, sound: bytes, damage: Callable[[bytearray, random.Random], None]
) -> None:
    database = tmp_path / "vigilar.db"
    database.write_bytes(sound)
    opened(tmp_path)[0].dispose()
    data = bytearray(sound)
    damage(data, random.Random(1))
    database.write_bytes(data)
    engine, _ = opened(tmp_path)
    with writing(engine) as connection:
        connection.execute(sa.insert(event_series).values(subject="x", kind="y", severity="info"))
        number = connection.execute(
            sa.select(event_series.c.id).where(event_series.c.subject == "x")
        ).scalar()
        connection.execute(
            sa.insert(events).values(
                id="new",
                time_us=1,
                committed_us=1,
                series=number,
                kind="y",
                severity="info",
                subject="x",
                source="s",
                topic="t",
                data="{}",
                hops=0,
            )
        )
    assert last_sequence(engine) > COUNT
    engine.dispose()


def test_where_nothing_can_be_read_the_newest_snapshot_helps(tmp_path: Path, sound: bytes) -> None:
    database = tmp_path / "vigilar.db"
    database.write_bytes(sound)
    engine, _ = opened(tmp_path)
    snapshot(engine, tmp_path / "snapshots" / "before.db")
    engine.dispose()
    database.write_bytes(bytes(len(sound)))
    engine, repair = opened(tmp_path)
    assert repair is not None
    assert repair.events == COUNT
    with engine.connect() as connection:
        assert connection.execute(sa.select(service_cursors.c.position)).scalar() == 17
    engine.dispose()


def test_a_suspect_database_is_compared_with_its_indices(tmp_path: Path, sound: bytes) -> None:
    """An index that has another id than the table looks sound page by page."""
    database = tmp_path / "vigilar.db"
    data = bytearray(sound)
    wanted, index_leaf, place = f"{COUNT // 2:032x}".encode(), 0x0A, 0
    while data[(place := data.index(wanted, place + 1)) // 4096 * 4096] != index_leaf:
        pass
    data[place] = ord("1")
    database.write_bytes(data)
    assert look_for_damage(database, budget_s=5) == []
    engine, repair = opened(tmp_path)
    engine.dispose()
    assert repair is None
    suspect(store_url(tmp_path))
    engine, repair = opened(tmp_path)
    assert repair is not None
    assert repair.events == COUNT
    engine.dispose()


def test_a_database_from_the_future_is_no_damage(tmp_path: Path, sound: bytes) -> None:
    database = tmp_path / "vigilar.db"
    database.write_bytes(sound)
    connection = sqlite3.connect(database)
    connection.execute("UPDATE alembic_version_core SET version_num = 'core_9999'")
    connection.commit()
    connection.close()
    with pytest.raises(FutureDatabaseError):
        opened(tmp_path)
    assert not list(tmp_path.glob("*damaged*"))
