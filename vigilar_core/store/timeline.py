"""The timeline: pages of events, newest first, whatever the filter and however deep.

Every event belongs to a series: its combination of subject, kind and severity. A filter is a set
of series, and each series is one run of an index ordered by time. A page of ``n`` events comes
from at most ``n`` series, and those are among the ``n`` whose newest event before the cursor is
newest. So a page takes three steps, each bounded by the number of series or the size of the page,
never by the number of events:

1. the newest event of each wanted series before the cursor, one index seek each;
2. the newest ``n`` numbers of each of the ``n`` best series, one short index scan each;
3. the newest ``n`` of those, read by number.

Without a filter one scan of the index by time does.
"""

from __future__ import annotations

import base64
import binascii
import heapq
import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from vigilar_core.events import Event, Severity
from vigilar_core.store.rows import event_of
from vigilar_core.store.tables import event_series, events

#: Largest page.
LIMIT: Final = 500
_TOKEN = struct.Struct(">Bqq")
_TOKEN_VERSION: Final = 1
_HOUR_US: Final = 3_600_000_000
#: So many series are asked for by number; more, and all are asked for.
_NAMED_SERIES: Final = 64
#: Longest span of a histogram, so that its cost is bounded, hours.
HISTOGRAM_HOURS: Final = 24 * 31


@dataclass(frozen=True, slots=True)
class TimelineFilter:
    """Which events are wanted; ``None`` means any.

    :param kinds: names of event kinds
    :param without_kinds: names of event kinds left out
    :param severities: as they were stored
    :param subjects: ``camera/hall``, ``sensor/door``, ``ups`` …
    :param without_subjects: subjects left out, such as cameras the person may not see
    :param from_us: earliest time, included, microseconds since 1970 UTC
    :param until_us: latest time, not included
    """

    kinds: Collection[str] | None = None
    without_kinds: Collection[str] = ()
    severities: Collection[Severity] | None = None
    subjects: Collection[str] | None = None
    without_subjects: Collection[str] = ()
    from_us: int | None = None
    until_us: int | None = None

    @property
    def takes_all_series(self) -> bool:
        """Whether only times are filtered."""
        wanted = (self.kinds, self.severities, self.subjects)
        return not any((self.without_kinds, self.without_subjects)) and wanted == (None,) * 3

    def covers(self, subject: str, kind: str, severity: str) -> bool:
        """Whether events of a series are wanted."""
        return (
            (self.kinds is None or kind in self.kinds)
            and kind not in self.without_kinds
            and (self.severities is None or severity in self.severities)
            and (self.subjects is None or subject in self.subjects)
            and subject not in self.without_subjects
        )


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """A page of events, newest first.

    :param next: cursor of the page behind it; ``None``: there is none
    """

    events: Sequence[Event]
    next: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A place between two events: behind the event of this time and number."""

    time_us: int
    sequence: int

    def token(self) -> str:
        """The place as a cursor that a client hands back."""
        packed = _TOKEN.pack(_TOKEN_VERSION, self.time_us, self.sequence)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def of(cls, token: str) -> Place:
        """The place again.

        :raises ValueError: this program did not make the cursor
        """
        try:
            packed = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), b"-_", True)
            version, time_us, sequence = _TOKEN.unpack(packed)
        except (binascii.Error, UnicodeEncodeError, struct.error):
            raise ValueError(f"{token[:40]!r} is no cursor of the timeline") from None
        if version != _TOKEN_VERSION or time_us < 0 or sequence < 0:
            raise ValueError(f"{token[:40]!r} is no cursor of the timeline")
        return cls(time_us, sequence)


def timeline_page(
    engine: Engine, wanted: TimelineFilter, *, cursor: str | None = None, limit: int = 50
) -> TimelinePage:
    """One page, newest first; events of the same moment by falling sequence number.

    :param cursor: ``next`` of the page before; ``None``: from the newest on
    :param limit: events of a page, 1 to 500
    :raises ValueError: the cursor or the limit is none
    """
    if not 1 <= limit <= LIMIT:
        raise ValueError(f"a page has 1 to {LIMIT} events, not {limit}")
    place = None if cursor is None else Place.of(cursor)
    with engine.connect() as connection:
        if wanted.takes_all_series:
            numbers = _newest(connection, sa.true(), wanted, place, limit + 1)
        else:
            numbers = _newest_of_series(connection, wanted, place, limit + 1)
        found = _read(connection, numbers[:limit])
    more = len(numbers) > limit
    return TimelinePage(found, _behind(found[-1]) if more else None)


def events_per_hour(engine: Engine, wanted: TimelineFilter) -> dict[int, int]:
    """How many wanted events happened in each hour that had some.

    :param wanted: with both times, at most 31 days apart
    :returns: start of the hour, microseconds since 1970 UTC → number of events
    :raises ValueError: the times are missing or too far apart
    """
    if wanted.from_us is None or wanted.until_us is None:
        raise ValueError("a histogram needs both times")
    if wanted.until_us - wanted.from_us > HISTOGRAM_HOURS * _HOUR_US:
        raise ValueError(f"a histogram spans at most {HISTOGRAM_HOURS} hours")
    hour = events.c.time_us.op("/")(sa.literal_column(str(_HOUR_US)))
    query = sa.select(hour.label("hour"), sa.func.count()).group_by(hour)
    with engine.connect() as connection:
        if not wanted.takes_all_series:
            query = query.where(events.c.series.in_(_series(connection, wanted)))
        rows = connection.execute(query.where(*_span(wanted, None)))
        return {int(start) * _HOUR_US: count for start, count in rows}


def _newest_of_series(
    connection: Connection, wanted: TimelineFilter, place: Place | None, limit: int
) -> list[int]:
    """Numbers of the newest events of all wanted series together.

    A few of each series at first; more only of those that could have more among the newest.
    """
    series = _best_series(connection, wanted, place, limit)
    depth = min(limit, 2 + 2 * limit // max(1, len(series)))
    heads: dict[int, list[tuple[int, int]]] = {}
    newest: list[tuple[int, int]] = []
    hungry = series
    while hungry:
        heads.update(_heads(connection, hungry, wanted, place, depth))
        newest = heapq.nlargest(limit, (each for head in heads.values() for each in head))
        least = newest[-1] if len(newest) == limit else (-1, -1)
        hungry = [
            number
            for number in hungry
            if len(heads.get(number, ())) == depth < limit and min(heads[number]) >= least
        ]
        depth = min(limit, 4 * depth)
    return [sequence for _, sequence in newest]


def _heads(
    connection: Connection,
    series: Sequence[int],
    wanted: TimelineFilter,
    place: Place | None,
    depth: int,
) -> dict[int, list[tuple[int, int]]]:
    """Time and number of the newest events of each series, at most ``depth`` of each."""
    inner = events.alias("inner")
    numbers = (
        sa.select(inner.c.sequence)
        .where(inner.c.series == event_series.c.id, *_span(wanted, place, inner))
        .order_by(inner.c.time_us.desc(), inner.c.sequence.desc())
        .limit(depth)
        .correlate(event_series)
    )
    query = (
        sa.select(events.c.series, events.c.time_us, events.c.sequence)
        .select_from(event_series.join(events, events.c.sequence.in_(numbers)))
        .where(event_series.c.id.in_(series))
    )
    found: dict[int, list[tuple[int, int]]] = {}
    for number, time_us, sequence in connection.execute(query):
        found.setdefault(number, []).append((time_us, sequence))
    return found


def _best_series(
    connection: Connection, wanted: TimelineFilter, place: Place | None, limit: int
) -> list[int]:
    """Those series whose newest wanted event is among the newest; ties are all in."""
    series = _series(connection, wanted)
    newest = (
        sa.select(events.c.time_us)
        .where(events.c.series == event_series.c.id, *_span(wanted, place))
        .order_by(events.c.time_us.desc(), events.c.sequence.desc())
        .limit(1)
        .correlate(event_series)
        .scalar_subquery()
    )
    query = sa.select(newest.label("newest"), event_series.c.id)
    if len(series) <= _NAMED_SERIES:
        query = query.where(event_series.c.id.in_(series))
    rows = [
        (newest_us, number)
        for newest_us, number in connection.execute(query)
        if newest_us is not None and number in series
    ]
    if len(rows) <= limit:
        return [number for _, number in rows]
    least = heapq.nlargest(limit, rows)[-1][0]
    return [number for newest_us, number in rows if newest_us >= least]


def _newest(
    connection: Connection,
    series: sa.ColumnElement[bool],
    wanted: TimelineFilter,
    place: Place | None,
    limit: int,
) -> list[int]:
    query = (
        sa.select(events.c.sequence)
        .where(series, *_span(wanted, place))
        .order_by(events.c.time_us.desc(), events.c.sequence.desc())
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def _series(connection: Connection, wanted: TimelineFilter) -> set[int]:
    columns = event_series.c
    query = sa.select(columns.id, columns.subject, columns.kind, columns.severity)
    return {
        number
        for number, subject, kind, severity in connection.execute(query)
        if wanted.covers(subject, kind, severity)
    }


def _span(
    wanted: TimelineFilter, place: Place | None, table: Any = events
) -> list[sa.ColumnElement[bool]]:
    """Conditions on time, such that each index ending in time and number can be entered there."""
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.from_us is not None:
        conditions.append(table.c.time_us >= wanted.from_us)
    until_us = wanted.until_us
    if place is not None and (until_us is None or place.time_us < until_us):
        conditions.append(
            sa.tuple_(table.c.time_us, table.c.sequence)
            < sa.tuple_(sa.literal(place.time_us), sa.literal(place.sequence))
        )
    elif until_us is not None:
        conditions.append(table.c.time_us < until_us)
    return conditions


def _read(connection: Connection, numbers: Sequence[int]) -> list[Event]:
    query = sa.select(events).where(events.c.sequence.in_(numbers))
    found = {row["sequence"]: event_of(row) for row in connection.execute(query).mappings()}
    return [found[number] for number in numbers if number in found]


def _behind(event: Event) -> str:
    assert event.sequence is not None
    return Place(event.time_us, event.sequence).token()
