"""Reading committed events in the order of their numbers."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Engine

from vigilar_core.events import Event
from vigilar_core.store.rows import event_of
from vigilar_core.store.tables import events


def last_sequence(engine: Engine) -> int:
    """The highest number; 0 when there is no event."""
    with engine.connect() as connection:
        return connection.execute(sa.select(sa.func.max(events.c.sequence))).scalar() or 0


def events_after(engine: Engine, position: int, limit: int) -> list[Event]:
    """The events behind a number, at most so many."""
    query = (
        sa.select(events)
        .where(events.c.sequence > position)
        .order_by(events.c.sequence)
        .limit(limit)
    )
    with engine.connect() as connection:
        return [event_of(row) for row in connection.execute(query).mappings()]
