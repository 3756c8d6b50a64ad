"""Migrations: Alembic, one version table per distribution, the core first.

Each distribution counts its own revisions, so one that is no longer installed never blocks the
others. All steps of one run are one transaction.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from vigilar_core.errors import NotReadyError, PermanentError
from vigilar_core.store.declaration import Tables
from vigilar_core.store.engine import writing
from vigilar_core.store.snapshot import snapshot_before_migrating
from vigilar_core.store.tables import CORE, CORE_TABLES

_SCRIPTS: Final = Path(__file__).parent / "migrations"
#: Held while migrating on PostgreSQL, so that two programs take turns.
_ADVISORY_LOCK: Final = 0x56494749

Parts = Sequence[tuple[str, Tables]]


@dataclass(frozen=True, slots=True)
class Step:
    """What one distribution has to do.

    :param present: its revision in the database; ``None``: nothing there yet
    :param wanted: its newest revision
    """

    distribution: str
    tables: Tables
    present: str | None
    wanted: str | None

    @property
    def is_due(self) -> bool:
        return self.present != self.wanted


class FutureDatabaseError(PermanentError):
    """The database was migrated by a newer version than this one."""


def with_core(parts: Parts) -> Parts:
    """The parts of all distributions, the core's first."""
    return [(CORE, CORE_TABLES), *((name, tables) for name, tables in parts if name != CORE)]


def pending(engine: Engine, parts: Parts) -> list[Step]:
    """The steps that :func:`migrate` would take.

    :raises FutureDatabaseError: a revision in the database is unknown here
    """
    with engine.connect() as connection:
        return [step for step in _steps(connection, parts) if step.is_due]


def require_migrated(engine: Engine, parts: Parts) -> None:
    """For those who only use the store.

    :raises NotReadyError: somebody has to migrate first; the ledger does when it starts
    """
    if steps := pending(engine, parts):
        names = ", ".join(step.distribution for step in steps)
        raise NotReadyError(f"the database is not migrated yet for: {names}")


def migrate(
    engine: Engine, parts: Parts, *, snapshots_dir: Path | None, time_us: int
) -> list[Step]:
    """Bring every part to its newest revision.

    :param parts: distribution name and tables; the core is added
    :param snapshots_dir: where a copy of an existing database goes first; ``None``: nowhere
    :param time_us: now, names the copy
    :returns: the steps taken
    :raises FutureDatabaseError: a revision in the database is unknown here; nothing was changed
    """
    steps = pending(engine, parts)
    if not steps:
        return []
    if snapshots_dir is not None and sa.inspect(engine).get_table_names():
        snapshot_before_migrating(engine, snapshots_dir, time_us)
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        for step in _steps(connection, parts):
            if step.is_due:
                _upgrade(connection, step)
    return steps


def _steps(connection: Connection, parts: Parts) -> list[Step]:
    return [_step(connection, name, tables) for name, tables in with_core(parts)]


def _step(connection: Connection, distribution: str, tables: Tables) -> Step:
    scripts = ScriptDirectory.from_config(_config(tables))
    context = MigrationContext.configure(
        connection, opts={"version_table": _version_table(distribution)}
    )
    present = context.get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if present is not None and present not in known:
        raise FutureDatabaseError(
            f"the database has revision {present!r} of {distribution}, which this version does "
            f"not know: install the version that made it, or restore a snapshot"
        )
    return Step(distribution, tables, present, scripts.get_current_head())


def _upgrade(connection: Connection, step: Step) -> None:
    config = _config(step.tables)
    config.attributes["connection"] = connection
    config.attributes["version_table"] = _version_table(step.distribution)
    command.upgrade(config, "head")


def _config(tables: Tables) -> Config:
    config = Config()
    config.set_main_option("script_location", _escaped(_SCRIPTS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", _escaped(tables.migrations))
    return config


def _escaped(path: Path) -> str:
    """Alembic's configuration gives ``%`` a meaning."""
    return str(path).replace("%", "%%")


def _version_table(distribution: str) -> str:
    return "alembic_version_" + re.sub(r"[^a-z0-9]+", "_", distribution.lower())
