"""Copies of a running SQLite database: consistent, compact, for their owner and group only."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from vigilar_core.errors import PermanentError
from vigilar_core.store.engine import database_file

#: Copies made before migrations that are kept.
KEPT: Final = 3
_PREFIX: Final = "before-migration-"


def snapshot(engine: Engine, target: Path) -> Path:
    """Copy the database while others use it.

    ``VACUUM INTO`` reads one consistent state; a copy page by page beside a writer would begin
    anew with each of its commits.

    :param target: a new file
    :raises PermanentError: the store is a server, whose own tools copy it, or the file exists
    """
    source = database_file(str(engine.url))
    if source is None:
        raise PermanentError("a PostgreSQL store is copied with pg_dump, not by Vigilar")
    if target.exists():
        raise PermanentError(f"{target} exists already")
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    os.close(os.open(aside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640))
    try:
        # A connection of its own: VACUUM runs in no transaction, the engine's always have one.
        with closing(sqlite3.connect(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(aside),))
        _sync(aside)
        aside.rename(target)
        _sync(target.parent)
    finally:
        aside.unlink(missing_ok=True)
    return target


def snapshot_before_migrating(engine: Engine, folder: Path, time_us: int) -> Path | None:
    """Copy an SQLite database into a folder and remove the oldest such copies."""
    if database_file(str(engine.url)) is None:
        return None
    target = snapshot(engine, folder / f"{_PREFIX}{time_name(time_us)}.db")
    copies = sorted(folder.glob(f"{_PREFIX}*.db"))
    for old in copies[:-KEPT]:
        old.unlink()
    return target


def time_name(time_us: int) -> str:
    """A moment as part of a file name, UTC: ``20260101T000000.000000Z``."""
    return datetime.fromtimestamp(time_us / 1e6, UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
