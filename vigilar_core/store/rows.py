"""Rows of the core's tables as the values they stand for."""

from __future__ import annotations

import json

from sqlalchemy import RowMapping

from vigilar_core.events import Event, Severity


def event_of(row: RowMapping) -> Event:
    """An event from a row of the table ``events``."""
    return Event(
        id=row["id"],
        kind=row["kind"],
        topic=row["topic"],
        subject=row["subject"],
        source=row["source"],
        time_us=row["time_us"],
        severity=Severity(row["severity"]),
        data=json.loads(row["data"]),
        sequence=row["sequence"],
        caused_by=row["caused_by"],
        hops=row["hops"],
    )
