"""Telling a database that cannot work now from a statement that never will."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError

#: Primary result codes (sqlite.org, "Result and Error Codes") that concern the database as a
#: whole; several of them have ended the transaction by themselves.
_UNAVAILABLE: Final = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    )
)
_DAMAGED: Final = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))


def is_unavailable(error: BaseException) -> bool:
    """Whether the same work may succeed later, or after a repair: full, locked, gone, damaged."""
    if is_damaged(error):
        return True
    code = _sqlite_code(error)
    if code is not None:
        return code in _UNAVAILABLE
    return isinstance(error, OperationalError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


def is_full(error: BaseException) -> bool:
    """Whether SQLite found no room; some of its writes report that as a failure of the disk."""
    return _sqlite_code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def is_damaged(error: BaseException) -> bool:
    """Whether SQLite says that its file is damaged or none at all."""
    return _sqlite_code(error) in _DAMAGED


def _sqlite_code(error: BaseException) -> int | None:
    original = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(original, sqlite3.Error):
        return None
    code = getattr(original, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF
