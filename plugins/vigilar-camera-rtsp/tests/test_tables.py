from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine, inspect

from vigilar_camera_rtsp.migrations import camera_rtsp_0001_cameras as first
from vigilar_camera_rtsp.tables import cameras, declare_tables
from vigilar_core.events import Event, Severity


@pytest.fixture
def connection() -> Iterator[Connection]:
    with create_engine("sqlite://").begin() as open_connection:
        with Operations.context(MigrationContext.configure(open_connection)):
            first.upgrade()
        yield open_connection


def event(kind: str, sequence: int, **data: object) -> Event:
    topic = f"vigilar/camera/hall/{kind.removeprefix('camera_')}"
    about = {"name": "Hall", "location": "INTERIOR", **data}
    return Event(
        f"{sequence:032x}", kind, topic, "camera/hall", "camera:hall", sequence * 1_000_000,
        Severity.INFO, about, sequence,
    )  # fmt: skip


ONLINE = {"codec": "h264", "width": 1920, "height": 1080}


def row(connection: Connection):
    return connection.execute(cameras.select()).one()


def apply(connection: Connection, *events: Event) -> None:
    (projection,) = declare_tables().projections
    for each in events:
        assert each.kind in projection.kinds
        projection.apply(connection, each)


def test_the_migration_makes_what_the_table_declares(connection: Connection) -> None:
    made = {
        c["name"]: (str(c["type"]), c["nullable"])
        for c in inspect(connection).get_columns("cameras")
    }
    declared = {c.name: (str(c.type), c.nullable) for c in cameras.columns}
    assert made == declared
    assert list(declare_tables().migrations.glob("*.py"))


def test_the_row_follows_from_the_events(connection: Connection) -> None:
    apply(connection, event("camera_online", 1, **ONLINE))
    assert row(connection)[:5] == ("hall", "Hall", "INTERIOR", "online", "")
    apply(connection, event("camera_stalled", 2, cause="no_packets"))
    found = row(connection)
    assert (found.state, found.cause, found.changed_us) == ("stalled", "no_packets", 2_000_000)
    assert (found.online_us, found.width) == (1_000_000, 1920)


def test_the_same_event_twice_and_an_older_one_change_nothing(connection: Connection) -> None:
    newest = event("camera_offline", 5, cause="refused")
    apply(connection, event("camera_online", 4, **ONLINE), newest)
    before = row(connection)
    apply(connection, newest, event("camera_online", 4, **ONLINE))
    assert row(connection) == before
