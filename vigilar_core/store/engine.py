"""Opening the store: SQLite in WAL mode by default, PostgreSQL by URL.

SQLite commits with ``synchronous=FULL`` unless told otherwise: with ``NORMAL`` a power cut takes
back transactions that were already acknowledged.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from vigilar_core.errors import ConfigurationError, NotReadyError, Problem

DATABASE_NAME: Final = "vigilar.db"
_BUSY_TIMEOUT_MS: Final = 5000
_WRITING: Final = "vigilar_writing"


def store_url(data_dir: Path, configured: str = "") -> str:
    """The URL of the store.

    :param configured: what the configuration says, if anything
    :raises ConfigurationError: neither SQLite nor PostgreSQL
    """
    if not configured:
        return sa.URL.create("sqlite", database=str(data_dir / DATABASE_NAME)).render_as_string()
    url = sa.make_url(configured)
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if backend == "sqlite" and url.database:
        return url.render_as_string()
    raise ConfigurationError(
        [Problem("storage.database_url", f"{backend} is not supported", "sqlite or postgresql")]
    )


def database_file(url: str) -> Path | None:
    """The file behind a URL; ``None`` for a server."""
    parsed = sa.make_url(url)
    return (
        Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None
    )


def open_engine(
    url: str, *, synchronous: Literal["FULL", "NORMAL"] = "FULL", read_only: bool = False
) -> Engine:
    """An engine with the store's settings on each of its connections.

    :param url: see :func:`store_url`
    :param synchronous: ``NORMAL`` only for what can be rebuilt; PostgreSQL: ``synchronous_commit``
    :param read_only: every attempt to write fails; the database must exist
    :raises NotReadyError: ``read_only`` and there is no database file yet
    """
    path = database_file(url)
    if path is None:
        return _open_postgresql(url, synchronous, read_only)
    if read_only and not path.exists():
        raise NotReadyError(f"there is no database at {path} yet")
    path.parent.mkdir(parents=True, exist_ok=True)
    _make_private(path)
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000})

    @sa.event.listens_for(engine, "connect")
    def _settings(connection: sqlite3.Connection, _record: object) -> None:
        # The driver must not begin transactions by itself: _begin does.
        connection.isolation_level = None
        if not read_only:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA trusted_schema=OFF")
        if read_only:
            connection.execute("PRAGMA query_only=ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and then writes cannot wait for another writer; one that
        # says at once that it will write can.
        writing = connection.get_execution_options().get(_WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A short transaction that writes; waits for its turn, committed at the end.

    SQLite has one writer at a time: keep it short, never wait for anything inside.
    """
    with (
        engine.connect().execution_options(**{_WRITING: True}) as connection,
        connection.begin(),
    ):
        yield connection


def _open_postgresql(url: str, synchronous: str, read_only: bool) -> Engine:
    options = [f"-c synchronous_commit={'on' if synchronous == 'FULL' else 'off'}"]
    if read_only:
        options.append("-c default_transaction_read_only=on")
    arguments: dict[str, Any] = {"options": " ".join(options), "connect_timeout": 5}
    return sa.create_engine(url, connect_args=arguments, pool_pre_ping=True)


def _make_private(path: Path) -> None:
    """The file as the operator guide wants it: nobody but owner and group reads it."""
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640))
