"""Rows of the core's tables as the values they stand for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping

from vigilar_core.events import Event, Severity


def event_of(row: RowMapping) -> Event:
    """An event from a row of the table ``events``.

    A row that the database itself takes for sound may still hold flipped bits; it must not cost
    its neighbours on the same page.
    """
    return Event(
        id=row["id"],
        kind=row["kind"],
        topic=row["topic"],
        subject=row["subject"],
        source=row["source"],
        time_us=row["time_us"],
        severity=_severity(row["severity"]),
        data=_data(row["data"]),
        sequence=row["sequence"],
        caused_by=row["caused_by"],
        hops=row["hops"],
    )


def _severity(text: str) -> Severity:
    try:
        return Severity(text)
    except ValueError:
        return Severity.WARNING


def _data(text: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    return data if isinstance(data, dict) else {"unreadable": text}
