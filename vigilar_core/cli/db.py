"""``vigilar db``: migrate, check and copy the database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy import Engine

from vigilar_core.cli.options import config_option, echo_json, json_option
from vigilar_core.clock import SystemClock
from vigilar_core.config.core import Database, System
from vigilar_core.config.load import find_config, read_config
from vigilar_core.errors import NotReadyError
from vigilar_core.paths import Paths
from vigilar_core.plugins.host import PluginHost
from vigilar_core.plugins.plan import plan_file
from vigilar_core.store.check import look_for_damage
from vigilar_core.store.engine import database_file, open_engine, store_url
from vigilar_core.store.migrate import Parts, migrate, pending
from vigilar_core.store.snapshot import snapshot, time_name

#: Exit code of ``check`` for a database that wants attention.
TROUBLE = 1


@dataclass(frozen=True, slots=True)
class _Store:
    """The store of one configuration file and the distributions that have tables in it."""

    url: str
    paths: Paths
    parts: Parts

    @property
    def path(self) -> Path | None:
        return database_file(self.url)

    def open(self) -> Engine:
        """An engine for a database that exists.

        :raises NotReadyError: there is none
        """
        if self.path is not None and not self.path.exists():
            raise NotReadyError(f"there is no database at {self.path} yet")
        return open_engine(self.url)


@click.group()
def db() -> None:
    """Migrate, check and copy the database."""


@db.command("migrate")
@json_option
@config_option
def migrate_(as_json: bool, config_path: Path | None) -> None:
    """Bring the tables of the core and of all plugins up to date.

    The ledger does the same whenever it starts. An existing SQLite database is copied to the
    folder "snapshots" beside it first.
    """
    store = _store(config_path)
    engine = open_engine(store.url)
    try:
        steps = migrate(
            engine,
            store.parts,
            snapshots_dir=store.paths.data_dir / "snapshots",
            time_us=SystemClock().time_us(),
        )
    finally:
        engine.dispose()
    taken = [{"part": step.distribution, "from": step.present, "to": step.wanted} for step in steps]
    if as_json:
        echo_json(taken)
    elif not taken:
        click.echo("Everything is up to date.")
    for step in () if as_json else taken:
        click.echo(f"{step['part']}: {step['from'] or 'new'} → {step['to']}")


@db.command()
@json_option
@config_option
def check(as_json: bool, config_path: Path | None) -> None:
    """Look for damage in the database file, and for migrations that are due.

    Exit code 0: sound and up to date. 1: not. 75: there is no database yet. What is damaged is
    repaired by the ledger when it starts.
    """
    store = _store(config_path)
    engine = store.open()
    try:
        damage = look_for_damage(store.path) if store.path is not None else []
        due = [] if damage else [step.distribution for step in pending(engine, store.parts)]
    finally:
        engine.dispose()
    if as_json:
        echo_json({"damage": damage, "migrations_due": due})
    else:
        for line in damage:
            click.echo(f"damaged: {line}")
        for name in due:
            click.echo(f"not migrated: {name} (vigilar db migrate)")
        if not damage and not due:
            click.echo("The database is sound and up to date.")
    raise SystemExit(TROUBLE if damage or due else 0)


@db.command("snapshot")
@click.argument("target", required=False, type=click.Path(dir_okay=False, path_type=Path))
@config_option
def snapshot_(target: Path | None, config_path: Path | None) -> None:
    """Copy the database to TARGET while everything runs on.

    Without TARGET the copy goes to the folder "snapshots" in the data folder.
    """
    store = _store(config_path)
    name = f"vigilar-{time_name(SystemClock().time_us())}.db"
    engine = store.open()
    try:
        made = snapshot(engine, target or store.paths.data_dir / "snapshots" / name)
    finally:
        engine.dispose()
    click.echo(str(made))


def _store(config_path: Path | None) -> _Store:
    plan = plan_file(read_config(find_config(config_path))).require()
    paths = plan.settings.section(System).paths()
    host = PluginHost()
    reports = [each for each in plan.reports if each.usable and each.has_tables]
    host.load([each.name for each in reports])
    distributions = {each.name: each.distribution for each in reports}
    parts = [
        (distributions[answer.plugin], answer.value)
        for answer in host.call("register_tables")
        if answer.value is not None
    ]
    url = store_url(paths.data_dir, plan.settings.section(Database).url.reveal())
    return _Store(url, paths, parts)
