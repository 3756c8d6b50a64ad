"""Reading committed events: pages of the timeline, and everything behind a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from vigilar_core.events import Event, EventCatalogue, Severity
from vigilar_core.store.rows import event_of
from vigilar_core.store.tables import events
from vigilar_core.store.timeline import TimelineFilter, TimelinePage, timeline_page

_SEVERITIES = list(Severity)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events.

    :param cameras: only those about these cameras
    :param kind: only those of this kind
    :param severity: the least
    :param since_us: from this moment, microseconds since 1970 UTC
    :param until_us: before this moment
    :param everything: also kinds that the timeline leaves out unless asked
    """

    cameras: frozenset[str] | None = None
    kind: str | None = None
    severity: Severity | None = None
    since_us: int | None = None
    until_us: int | None = None
    everything: bool = False


class EventLog:
    """The committed events."""

    def __init__(self, engine: sa.Engine, catalogue: EventCatalogue) -> None:
        self._engine = engine
        self._catalogue = catalogue

    def page(self, wanted: Wanted, *, cursor: str | None = None, limit: int) -> TimelinePage:
        """One page, newest first.

        :param cursor: ``next`` of the page before; ``None``: from the newest on
        :raises ValueError: the cursor is none
        """
        return timeline_page(self._engine, self._filter(wanted), cursor=cursor, limit=limit)

    def behind(self, sequence: int, wanted: Wanted, *, limit: int) -> Sequence[Event]:
        """The events committed after a number, in the order of their commitment."""
        query = self._query(wanted).where(events.c.sequence > sequence)
        return self._read(query.order_by(events.c.sequence).limit(limit))

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

    def _filter(self, wanted: Wanted) -> TimelineFilter:
        least = 0 if wanted.severity is None else _SEVERITIES.index(wanted.severity)
        return TimelineFilter(
            kinds=None if wanted.kind is None else {wanted.kind},
            without_kinds=self._hidden(wanted),
            severities=_SEVERITIES[least:] if least else None,
            subjects=_subjects(wanted),
            from_us=wanted.since_us,
            until_us=wanted.until_us,
        )

    def _query(self, wanted: Wanted) -> sa.Select[tuple[object, ...]]:
        chosen, columns = self._filter(wanted), events.c
        query = sa.select(events).where(columns.kind.not_in(chosen.without_kinds))
        for column, values in (
            (columns.kind, chosen.kinds),
            (columns.severity, chosen.severities),
            (columns.subject, chosen.subjects),
        ):
            if values is not None:
                query = query.where(column.in_(values))
        if chosen.from_us is not None:
            query = query.where(columns.time_us >= chosen.from_us)
        if chosen.until_us is not None:
            query = query.where(columns.time_us < chosen.until_us)
        return query

    def _hidden(self, wanted: Wanted) -> Sequence[str]:
        if wanted.everything or wanted.kind is not None:
            return ()
        return [kind.name for kind in self._catalogue.kinds.values() if not kind.timeline]

    def _read(self, query: sa.Select[tuple[object, ...]]) -> Sequence[Event]:
        with self._engine.connect() as connection:
            return [event_of(row) for row in connection.execute(query).mappings()]


def _subjects(wanted: Wanted) -> Sequence[str] | None:
    return None if wanted.cameras is None else [f"camera/{id}" for id in sorted(wanted.cameras)]
