"""Copying what can be read of a damaged SQLite database into a new one."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from vigilar_core.events import Severity
from vigilar_core.store.migrate import Parts, with_core
from vigilar_core.store.tables import event_series, events

_CHUNK: Final = 500
#: Where a table is taken to end if it cannot tell.
_GUESS: Final = 1_000_000
#: Reads of single rows that may fail in one table before the rest of it is given up.
_PATIENCE: Final = 200_000

Row = dict[str, Any]


@dataclass
class Salvage:
    """What came of it.

    :param kept: table → rows that were copied
    :param lost: rows that could not be read or did not fit, as far as that can be told
    :param highest: highest sequence number the database has given; 0: it cannot tell
    """

    kept: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    highest: int = 0


def salvage(damaged: Path, target: Path, parts: Parts) -> Salvage:
    """Copy every readable row of every known table.

    :param damaged: opened as it is, with its write-ahead log if there is one
    :param target: a migrated database without rows
    """
    result = Salvage()
    with closing(sqlite3.connect(damaged)) as source, closing(sqlite3.connect(target)) as sink:
        source.row_factory = sqlite3.Row
        # Damage in the schema table must not hide the tables beside it.
        source.execute("PRAGMA writable_schema=ON")
        sink.execute("PRAGMA foreign_keys=OFF")
        for _, tables in with_core(parts):
            for table in tables.metadata.sorted_tables:
                if table is not event_series:
                    _copy_table(source, sink, table, result)
        sink.commit()
        given = _given(source)
    # Without its own word the highest row that could be read says too little.
    result.highest = max(result.highest, given) if given else 0
    return result


def _copy_table(
    source: sqlite3.Connection, sink: sqlite3.Connection, table: sa.Table, result: Salvage
) -> None:
    series = _SeriesNumbers(sink)
    kept = 0
    for row in _rows(source, table.name, result):
        try:
            if table is events:
                _check_event(row)
                row["series"] = series.number(row)
                result.highest = max(result.highest, row["sequence"])
            columns = [column.name for column in table.columns if column.name in row]
            names = ", ".join(f'"{name}"' for name in columns)
            marks = ", ".join("?" for _ in columns)
            sink.execute(
                # Names of tables and columns cannot be bound; they come from the program's own
                # declarations, never from the damaged file.
                f'INSERT OR ABORT INTO "{table.name}" ({names}) VALUES ({marks})',  # noqa: S608
                [row[name] for name in columns],
            )
            kept += 1
        except (sqlite3.Error, ValueError, TypeError, KeyError, AttributeError):
            result.lost += 1
    result.kept[table.name] = kept


def _check_event(row: Row) -> None:
    """Let through what a ledger could have written.

    :raises ValueError: it could not
    """
    Severity(row["severity"])
    uuid.UUID(hex=row["id"])
    if not isinstance(json.loads(row["data"]), dict):
        raise ValueError("data is no object")
    if not all(isinstance(row[name], int) for name in ("time_us", "committed_us", "hops")):
        raise ValueError("a number is none")
    for name in ("kind", "subject", "source", "topic"):
        if not row[name].isprintable():
            raise ValueError(f"{name} is no text")


class _SeriesNumbers:
    """Series are made anew from the events, so their own table may be lost."""

    def __init__(self, sink: sqlite3.Connection) -> None:
        self._sink = sink
        self._known: dict[tuple[str, str, str], int] = {}

    def number(self, row: Row) -> int:
        key = (str(row["subject"]), str(row["kind"]), str(row["severity"]))
        if key not in self._known:
            cursor = self._sink.execute(
                "INSERT INTO event_series (subject, kind, severity) VALUES (?, ?, ?)", key
            )
            assert cursor.lastrowid is not None
            self._known[key] = cursor.lastrowid
        return self._known[key]


def _rows(source: sqlite3.Connection, table: str, result: Salvage) -> Iterator[Row]:
    """Rows in the order of their numbers, stepping over what cannot be read."""
    given = _given(source) if table == events.name else 0
    try:
        last, guessed = max(_last_number(source, table), given), False
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            return
        last, guessed = given or _GUESS, not given
    patience = _PATIENCE
    ranges = [(1, max(last, 0))]
    while ranges:
        first, last = ranges.pop()
        if first > last:
            continue
        try:
            rows = _read(source, table, first, last)
        except (sqlite3.Error, UnicodeDecodeError):
            patience -= 1
            if first == last or patience <= 0:
                result.lost += 0 if guessed else last - first + 1
                continue
            middle = (first + last) // 2
            ranges += [(middle + 1, last), (first, middle)]
            continue
        yield from rows
        if len(rows) == _CHUNK:
            ranges.append((rows[-1]["_number"] + 1, last))


def _read(source: sqlite3.Connection, table: str, first: int, last: int) -> list[Row]:
    query = (
        f'SELECT rowid AS _number, * FROM "{table}" NOT INDEXED '  # noqa: S608 - as above
        f"WHERE rowid BETWEEN ? AND ? ORDER BY rowid LIMIT {_CHUNK}"
    )
    return [dict(row) for row in source.execute(query, (first, last))]


def _last_number(source: sqlite3.Connection, table: str) -> int:
    query = f'SELECT max(rowid) FROM "{table}" NOT INDEXED'  # noqa: S608 - as above
    (last,) = source.execute(query).fetchone()
    return int(last or 0)


def _given(source: sqlite3.Connection) -> int:
    """The highest sequence number that the database says it has given."""
    try:
        row = source.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    except sqlite3.Error:
        return 0
    return int(row[0]) if row is not None and isinstance(row[0], int) else 0


def number_behind(database: Path, highest: int) -> None:
    """Let the next event of a database be numbered behind ``highest``, if it is not anyway."""
    with closing(sqlite3.connect(database)) as sink:
        if _given(sink) < highest:
            sink.execute("DELETE FROM sqlite_sequence WHERE name = 'events'")
            sink.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)", (highest,))
        sink.commit()
