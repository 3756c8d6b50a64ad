"""Databases for tests: SQLite files, and a PostgreSQL server of their own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from vigilar_core.store.engine import open_engine, store_url
from vigilar_core.store.migrate import migrate


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A migrated SQLite database."""
    found = open_engine(store_url(tmp_path))
    migrate(found, [], snapshots_dir=None, time_us=1)
    yield found
    found.dispose()


def _programs() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders else None


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of an empty PostgreSQL server on a unix socket, started for these tests."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory(prefix="vigilar-pg-") as name:
        folder = Path(name)
        user: dict[str, Any] = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
            user = {"user": account.pw_uid, "group": account.pw_gid}

        def run(program: str, *arguments: str) -> None:
            command = [str(programs / program), "-D", str(folder / "db"), *arguments]
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, **user)

        run("initdb", "-A", "trust", "-U", "vigilar", "-N")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://vigilar@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
            with contextlib.suppress(OSError):
                shutil.rmtree(folder / "db")


@pytest.fixture
def postgresql(postgresql_server: str) -> Iterator[Engine]:
    """An empty database of that server."""
    found = open_engine(store_url(Path("/"), postgresql_server))
    yield found
    with found.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    found.dispose()
