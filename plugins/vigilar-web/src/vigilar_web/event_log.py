"""Reading committed events, a page at a time, by key set and never by counting rows off."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from vigilar_core.events import Event, EventCatalogue, Severity
from vigilar_core.store.tables import events

@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events.

    :param cameras: only those about these cameras
    :param severity: the least
    :param since_us: from this moment, microseconds since 1970 UTC
    :param until_us: before this moment
    :param everything: also kinds that the timeline leaves out unless asked
    """

    cameras: frozenset[str] | None = None
    kinds: frozenset[str] | None = None
    severity: Severity | None = None
    since_us: int | None = None
    until_us: int | None = None
    everything: bool = False


class EventLog:
    """The committed events."""

    def __init__(self, engine: sa.Engine, catalogue: EventCatalogue) -> None:
        self._engine = engine
        self._catalogue = catalogue

    def before(self, sequence: int | None, wanted: Wanted, *, limit: int) -> Sequence[Event]:
        """The latest events older than a number, latest first; ``None``: the latest of all."""
        query = self._query(wanted).order_by(events.c.sequence.desc()).limit(limit)
        if sequence is not None:
            query = query.where(events.c.sequence < sequence)
        return self._read(query)

    def behind(self, sequence: int, wanted: Wanted, *, limit: int) -> Sequence[Event]:
        """The events after a number, oldest first."""
        query = self._query(wanted).order_by(events.c.sequence).limit(limit)
        return self._read(query.where(events.c.sequence > sequence))

    def one(self, sequence: int) -> Event | None:
        found = self._read(sa.select(events).where(events.c.sequence == sequence))
        return found[0] if found else None

    def latest_sequence(self) -> int:
        """Number of the latest event; 0 when there is none."""
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.max(events.c.sequence))) or 0

    def kinds(self) -> Sequence[str]:
        """Names of the kinds a person may choose from."""
        return sorted(self._catalogue.kinds)

    def _query(self, wanted: Wanted) -> sa.Select[tuple[object, ...]]:
        query = sa.select(events)
        if wanted.cameras is not None:
            query = query.where(events.c.subject.in_([f"camera/{id}" for id in wanted.cameras]))
        if wanted.kinds is not None:
            query = query.where(events.c.kind.in_(wanted.kinds))
        elif not wanted.everything:
            hidden = [kind.name for kind in self._catalogue.kinds.values() if not kind.timeline]
            query = query.where(events.c.kind.not_in(hidden))
        if wanted.severity is not None:
            order = list(Severity)
            query = query.where(events.c.severity.in_(order[order.index(wanted.severity) :]))
        if wanted.since_us is not None:
            query = query.where(events.c.time_us >= wanted.since_us)
        if wanted.until_us is not None:
            query = query.where(events.c.time_us < wanted.until_us)
        return query

    def _read(self, query: sa.Select[tuple[object, ...]]) -> Sequence[Event]:
        with self._engine.connect() as connection:
            return [_event(row) for row in connection.execute(query)]


def _event(row: sa.Row[tuple[object, ...]]) -> Event:
    return Event(
        id=row.id,
        kind=row.kind,
        topic=row.topic,
        subject=row.subject,
        source=row.source,
        time_us=row.time_us,
        severity=Severity(row.severity),
        data=json.loads(row.data),
        sequence=row.sequence,
        caused_by=row.caused_by,
        hops=row.hops,
    )
