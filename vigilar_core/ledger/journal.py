"""The ledger's hand on the database: commits batches of events, reads them back in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import postgresql, sqlite

from vigilar_core.clock import Clock
from vigilar_core.events import Event
from vigilar_core.ledger.arrival import Arrival
from vigilar_core.store.declaration import Projection
from vigilar_core.store.engine import writing
from vigilar_core.store.failure import is_unavailable
from vigilar_core.store.migrate import Parts
from vigilar_core.store.reading import events_after, last_sequence
from vigilar_core.store.tables import event_series, events, service_cursors

#: Held by a PostgreSQL transaction that writes events, so that there is one writer.
_ADVISORY_LOCK = 0x56494C45


@dataclass(frozen=True, slots=True)
class ProjectionFailure:
    """A plugin's rows for one event could not be written; the event was."""

    distribution: str
    event: Event
    error: str


@dataclass(frozen=True, slots=True)
class Committed:
    """A batch that is durable.

    :param previous: sequence number of the last event before it
    :param events: the new ones in order; repeats are not among them
    """

    previous: int
    events: Sequence[Event]
    failures: Sequence[ProjectionFailure] = ()

    @property
    def head(self) -> int:
        last = self.events[-1].sequence if self.events else None
        return self.previous if last is None else last


@dataclass
class Journal:
    """Reads and writes events; one per installation.

    :param engine: of a migrated store, committing with ``FULL``
    :param parts: distributions with their projections
    """

    engine: Engine
    clock: Clock
    parts: Parts = ()
    _series: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def head(self) -> int:
        """The highest sequence number; 0 when there is no event."""
        return last_sequence(self.engine)

    def commit(
        self, arrivals: Sequence[Arrival], cursors: Mapping[str, int] | None = None
    ) -> Committed:
        """Store a batch in one transaction; events stored before are left as they are.

        :param cursors: service → sequence number it has handled
        :raises sqlalchemy.exc.DBAPIError: nothing of the batch was stored
        """
        known = dict(self._series)
        with writing(self.engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            previous = _head(connection)
            rows = [self._row(connection, arrival, known) for arrival in arrivals]
            if rows:
                statement = _insert(connection, events)
                connection.execute(statement.on_conflict_do_nothing(index_elements=["id"]), rows)
            fresh = _fresh(connection, previous, arrivals)
            failures = [failure for event in fresh for failure in self._project(connection, event)]
            self._keep_cursors(connection, cursors or {})
        self._series = known
        return Committed(previous, fresh, failures)

    def after(self, position: int, limit: int) -> list[Event]:
        """The events behind a position, in order."""
        return events_after(self.engine, position, limit)

    def cursor(self, service: str) -> int | None:
        """Where a service said it was."""
        query = sa.select(service_cursors.c.position).where(service_cursors.c.service == service)
        with self.engine.connect() as connection:
            return connection.execute(query).scalar()

    def _row(
        self, connection: Connection, arrival: Arrival, known: dict[tuple[str, str, str], int]
    ) -> dict[str, object]:
        event = arrival.committed(0)
        key = (event.subject, event.kind, event.severity.value)
        if key not in known:
            known[key] = _series_number(connection, key)
        return {
            "id": event.id,
            "time_us": event.time_us,
            "committed_us": self.clock.time_us(),
            "series": known[key],
            "kind": event.kind,
            "severity": event.severity.value,
            "subject": event.subject,
            "source": event.source,
            "topic": event.topic,
            "data": arrival.data_json,
            "caused_by": event.caused_by,
            "hops": event.hops,
        }

    def _project(self, connection: Connection, event: Event) -> Iterable[ProjectionFailure]:
        for distribution, tables in self.parts:
            for projection in tables.projections:
                if event.kind in projection.kinds:
                    try:
                        _apply(connection, projection, event)
                    except Exception as error:
                        # A plugin's own code: whatever it raises costs its rows, not the event.
                        if is_unavailable(error):
                            raise
                        yield ProjectionFailure(distribution, event, f"{error}"[:500])

    def _keep_cursors(self, connection: Connection, cursors: Mapping[str, int]) -> None:
        for service, position in cursors.items():
            statement = _insert(connection, service_cursors).values(
                service=service, position=position, updated_us=self.clock.time_us()
            )
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["service"],
                    set_={
                        "position": statement.excluded.position,
                        "updated_us": statement.excluded.updated_us,
                    },
                )
            )


def _apply(connection: Connection, projection: Projection, event: Event) -> None:
    with connection.begin_nested():
        projection.apply(connection, event)


def _head(connection: Connection) -> int:
    return connection.execute(sa.select(sa.func.max(events.c.sequence))).scalar() or 0


def _fresh(connection: Connection, previous: int, arrivals: Sequence[Arrival]) -> list[Event]:
    by_id = {arrival.envelope.id: arrival for arrival in arrivals}
    query = (
        sa.select(events.c.sequence, events.c.id)
        .where(events.c.sequence > previous)
        .order_by(events.c.sequence)
    )
    return [by_id[row.id].committed(row.sequence) for row in connection.execute(query)]


def _series_number(connection: Connection, key: tuple[str, str, str]) -> int:
    subject, kind, severity = key
    find = sa.select(event_series.c.id).where(
        event_series.c.subject == subject,
        event_series.c.kind == kind,
        event_series.c.severity == severity,
    )
    number = connection.execute(find).scalar()
    if number is None:
        values = {"subject": subject, "kind": kind, "severity": severity}
        inserted = connection.execute(sa.insert(event_series).values(values))
        assert inserted.inserted_primary_key is not None
        number = inserted.inserted_primary_key[0]
    return int(number)


def _insert(connection: Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that knows ``ON CONFLICT``, which each dialect has of its own."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
