"""The core's own tables: what happened, and how far each reader of it has come."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa

from vigilar_core.store.declaration import Tables

#: Name under which the core's migrations are counted.
CORE: Final = "core"

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: SQLite numbers rows by itself only for the type ``INTEGER``.
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

event_series = sa.Table(
    "event_series",
    metadata,
    sa.Column("id", _NUMBER, primary_key=True, comment="number; written by the ledger"),
    sa.Column("subject", sa.Text, nullable=False, comment="what events of it are about"),
    sa.Column("kind", sa.Text, nullable=False, comment="name of their event kind"),
    sa.Column("severity", sa.Text, nullable=False, comment="debug … critical"),
    sa.UniqueConstraint("subject", "kind", "severity"),
    comment="each combination of subject, kind and severity that has ever occurred",
)

events = sa.Table(
    "events",
    metadata,
    sa.Column(
        "sequence",
        _NUMBER,
        primary_key=True,
        comment="order of commitment, strictly rising, never used again; given by the database",
    ),
    sa.Column("id", sa.Text, nullable=False, unique=True, comment="UUID version 7; publisher"),
    sa.Column(
        "time_us",
        sa.BigInteger,
        nullable=False,
        comment="when it happened, µs since 1970 UTC; publisher",
    ),
    sa.Column(
        "committed_us",
        sa.BigInteger,
        nullable=False,
        comment="when it was committed, µs since 1970 UTC; ledger",
    ),
    sa.Column(
        "series",
        _NUMBER,
        sa.ForeignKey(event_series.c.id),
        nullable=False,
        comment="subject, kind and severity as one number; ledger",
    ),
    sa.Column("kind", sa.Text, nullable=False, comment="name of the event kind; catalogue"),
    sa.Column("severity", sa.Text, nullable=False, comment="debug … critical; catalogue"),
    sa.Column(
        "subject",
        sa.Text,
        nullable=False,
        comment="camera/hall, sensor/door, ups …; from the topic",
    ),
    sa.Column("source", sa.Text, nullable=False, comment="service that published it"),
    sa.Column("topic", sa.Text, nullable=False, comment="topic it was published on"),
    sa.Column(
        "data", sa.Text, nullable=False, comment="JSON object, fields of its kind; publisher"
    ),
    sa.Column("caused_by", sa.Text, comment="id of the event it follows from; publisher"),
    sa.Column("hops", sa.Integer, nullable=False, comment="length of that chain; publisher"),
    sa.Index("ix_events_time_us", "time_us", "sequence"),
    sa.Index("ix_events_series_time_us", "series", "time_us", "sequence"),
    sqlite_autoincrement=True,
    comment="what happened; one writer, the ledger",
)

service_cursors = sa.Table(
    "service_cursors",
    metadata,
    sa.Column("service", sa.Text, primary_key=True, comment="name of the reading service"),
    sa.Column(
        "position",
        sa.BigInteger,
        nullable=False,
        comment="sequence of the last event it has handled",
    ),
    sa.Column("updated_us", sa.BigInteger, nullable=False, comment="µs since 1970 UTC; ledger"),
    comment="how far readers of the ledger have come; written by the ledger",
)

#: The core as a distribution among others; its migrations come first.
CORE_TABLES: Final = Tables(metadata, Path(__file__).parent / "migrations" / "core")
