"""The register of recordings, and how it follows from events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from vigilar_core.events import Event
from vigilar_core.store import Projection, Tables

#: Name under which the migrations are counted.
DISTRIBUTION: Final = "vigilar-recorder"

metadata = sa.MetaData()

recordings = sa.Table(
    "recordings",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="UUID version 7; recorder"),
    sa.Column("camera", sa.Text, nullable=False, comment="id of the camera; recorder"),
    sa.Column(
        "path", sa.Text, nullable=False, unique=True, comment="below recordings_dir; recorder"
    ),
    sa.Column(
        "start_time_us", sa.BigInteger, nullable=False, comment="first picture, µs since 1970 UTC"
    ),
    sa.Column("end_time_us", sa.BigInteger, comment="end, µs since 1970 UTC; null: open"),
    sa.Column("duration_s", sa.Float, comment="seconds of video; null: open"),
    sa.Column("size_bytes", sa.BigInteger, comment="of the file; null: open"),
    sa.Column("sha256", sa.Text, comment="of the file as it lies on disk, hexadecimal"),
    sa.Column("trigger", sa.Text, nullable=False, comment="motion, manual or continuous"),
    sa.Column(
        "trigger_time_us", sa.BigInteger, nullable=False, comment="µs since 1970 UTC; recorder"
    ),
    sa.Column("who", sa.Text, nullable=False, comment="who asked for it; empty: nobody"),
    sa.Column("pre_roll_s", sa.Float, nullable=False, comment="seconds before the trigger"),
    sa.Column("video_codec", sa.Text, nullable=False, comment="FFmpeg's name"),
    sa.Column("audio_codec", sa.Text, comment="FFmpeg's name; null: silent"),
    sa.Column("width", sa.Integer, nullable=False, comment="pixels"),
    sa.Column("height", sa.Integer, nullable=False, comment="pixels"),
    sa.Column("key_frames_only", sa.Boolean, nullable=False, comment="a picture every few seconds"),
    sa.Column("encrypted", sa.Boolean, nullable=False, comment="whether the file is"),
    sa.Column("continues", sa.Text, comment="id of the recording before a split"),
    sa.Column("ended_by", sa.Text, comment="why it ended; null: open"),
    sa.Column("motion", sa.Text, comment="JSON: starts, confidence, zones"),
    sa.Column("thumbnail", sa.Text, comment="path below recordings_dir; null: none"),
    sa.Column("sealed", sa.Boolean, nullable=False, comment="complete, hash and size are final"),
    sa.Column("recovered", sa.Boolean, nullable=False, comment="was open when its process died"),
    sa.Column("starred", sa.Boolean, nullable=False, comment="kept by retention; web, commands"),
    sa.Column("held", sa.Boolean, nullable=False, comment="legal hold: nothing deletes it"),
    sa.Column("deleting_reason", sa.Text, comment="marked for deletion; null: not"),
    sa.Column("deleting_by", sa.Text, comment="who marked it"),
    sa.Index("ix_recordings_start_time_us", "start_time_us", "id"),
    sa.Index("ix_recordings_camera_start_time_us", "camera", "start_time_us", "id"),
    sa.Index("ix_recordings_deleting_reason", "deleting_reason"),
    comment="every recording that is or was open; rows follow from events",
)

#: Columns that the events of a recording fill under the same name.
_FROM_EVENTS = frozenset(recordings.columns.keys()) - {
    "camera", "motion", "sealed", "starred", "held", "deleting_reason", "deleting_by",
}  # fmt: skip


def _values(event: Event) -> dict[str, Any]:
    values = {name: value for name, value in event.data.items() if name in _FROM_EVENTS}
    values["camera"] = event.subject.partition("/")[2]
    if isinstance(event.data.get("motion"), dict):
        values["motion"] = json.dumps(event.data["motion"], sort_keys=True)
    return values


def _exists(connection: Connection, recording: Any) -> bool:
    found = connection.execute(sa.select(recordings.c.id).where(recordings.c.id == recording))
    return found.first() is not None


def _insert(connection: Connection, values: dict[str, Any]) -> None:
    defaults = {"sealed": False, "recovered": False, "starred": False, "held": False}
    connection.execute(sa.insert(recordings).values(defaults | values))


def _started(connection: Connection, event: Event) -> None:
    if not _exists(connection, event.data.get("id")):
        _insert(connection, _values(event))


def _sealed(connection: Connection, event: Event) -> None:
    values = _values(event) | {"sealed": True}
    if _exists(connection, values["id"]):
        same = recordings.c.id == values.pop("id")
        connection.execute(sa.update(recordings).where(same).values(values))
    else:
        _insert(connection, values)


def _failed(connection: Connection, event: Event) -> None:
    """What is left of it, if anything, is told by an event of its own."""
    same = recordings.c.id == event.data.get("id")
    connection.execute(sa.delete(recordings).where(same, ~recordings.c.sealed))


def _deleted(connection: Connection, event: Event) -> None:
    connection.execute(sa.delete(recordings).where(recordings.c.id == event.data.get("id")))


TABLES: Final = Tables(
    metadata,
    Path(__file__).parent / "migrations",
    (
        Projection(["recording_started"], _started),
        Projection(["recording_sealed"], _sealed),
        Projection(["recording_failed"], _failed),
        Projection(["recording_deleted"], _deleted),
    ),
)
