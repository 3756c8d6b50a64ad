"""Looking for damage in an SQLite database before it is used, and after it misbehaved."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from vigilar_core.store.failure import is_damaged

#: Time for looking through the file at a start; a database too large for that is trusted.
BUDGET_S: Final = 5.0
_STEPS_BETWEEN_LOOKS: Final = 10_000
_PROBLEMS_LIMIT: Final = 20


def look_for_damage(path: Path, *, budget_s: float | None = None) -> list[str]:
    """What is wrong with a database file; nothing for a sound or a new one.

    :param budget_s: look at the structure of each page, for so long; ``None``: also compare
        tables with their indices and references, however long that takes
    :raises sqlite3.OperationalError: it cannot be opened at all: locked, no rights
    """
    if not path.exists() or path.stat().st_size == 0:
        return []
    try:
        with closing(sqlite3.connect(path, timeout=5)) as connection:
            return _look(connection, budget_s)
    except sqlite3.DatabaseError as error:
        if is_damaged(error):
            return [str(error)]
        raise


def _look(connection: sqlite3.Connection, budget_s: float | None) -> list[str]:
    if budget_s is not None:
        connection.set_progress_handler(_stopwatch(budget_s), _STEPS_BETWEEN_LOOKS)
    check = "integrity_check" if budget_s is None else "quick_check"
    try:
        rows = connection.execute(f"PRAGMA {check}({_PROBLEMS_LIMIT})").fetchall()
        found = [str(text) for (text,) in rows if text != "ok"]
        if budget_s is None:
            found += [
                f"row {number} of {table} refers to a missing row of {parent}"
                for table, number, parent, _ in connection.execute("PRAGMA foreign_key_check")
            ]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return []
        raise
    return found[:_PROBLEMS_LIMIT]


def _stopwatch(budget_s: float) -> Callable[[], int]:
    end_s = time.monotonic() + budget_s
    return lambda: int(time.monotonic() > end_s)
