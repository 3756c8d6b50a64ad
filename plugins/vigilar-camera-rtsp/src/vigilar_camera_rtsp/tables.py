"""The table ``cameras``: how each camera was when it was last heard of."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, String, Table

from vigilar_core.events import Event
from vigilar_core.store import Projection, Tables

metadata = MetaData()

cameras = Table(
    "cameras",
    metadata,
    Column("id", String(64), primary_key=True, comment="id of the configuration"),
    Column("display_name", String(256), nullable=False, comment="name shown to people"),
    Column("location", String(32), nullable=False, comment="where it looks"),
    Column("state", String(16), nullable=False, comment="online, offline or stalled"),
    Column("cause", String(32), nullable=False, comment="why it is away, empty when online"),
    Column("changed_us", BigInteger, nullable=False, comment="since when, µs since 1970 UTC"),
    Column("online_us", BigInteger, comment="last time it came online, µs since 1970 UTC"),
    Column("codec", String(16), comment="of the main stream when last online"),
    Column("width", Integer, comment="pixels of the main stream when last online"),
    Column("height", Integer, comment="pixels of the main stream when last online"),
    Column("sequence", BigInteger, nullable=False, comment="event the row stems from"),
    comment="Owned by camera-rtsp; follows from the camera's events.",
)

_STATES = {
    "camera_online": "online",
    "camera_stream_changed": "online",
    "camera_offline": "offline",
    "camera_stalled": "stalled",
}


def declare_tables() -> Tables:
    """What the ledger and the web need to know."""
    projection = Projection(tuple(_STATES), _apply)
    return Tables(metadata, Path(__file__).with_name("migrations"), (projection,))


def _apply(connection: Connection, event: Event) -> None:
    camera_id = event.subject.removeprefix("camera/")
    row = {
        "display_name": str(event.data.get("name", camera_id))[:256],
        "location": str(event.data.get("location", ""))[:32],
        "state": _STATES[event.kind],
        "cause": str(event.data.get("cause", ""))[:32],
        "changed_us": event.time_us,
        "sequence": event.sequence or 0,
    }
    if row["state"] == "online":
        row["online_us"] = event.time_us
        row |= {key: event.data.get(key) for key in ("codec", "width", "height")}
    known = connection.execute(cameras.select().where(cameras.c.id == camera_id)).one_or_none()
    if known is None:
        connection.execute(cameras.insert().values(id=camera_id, **row))
    elif known.sequence <= row["sequence"]:
        connection.execute(cameras.update().where(cameras.c.id == camera_id).values(**row))
