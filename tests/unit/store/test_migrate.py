"""Migrations: one count per distribution, a copy first, never backwards."""

from __future__ import annotations

import sqlite3
import textwrap
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine

from vigilar_core.errors import NotReadyError, PermanentError
from vigilar_core.store.declaration import Tables
from vigilar_core.store.engine import open_engine, store_url
from vigilar_core.store.migrate import (
    FutureDatabaseError,
    migrate,
    pending,
    require_migrated,
)
from vigilar_core.store.snapshot import KEPT, snapshot
from vigilar_core.store.tables import metadata


def revision(folder: Path, name: str, before: str | None, body: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision = {name!r}\ndown_revision = {before!r}\n\n\ndef upgrade():\n"
        + textwrap.indent(textwrap.dedent(body), "    ")
    )


@pytest.fixture
def ups(tmp_path: Path) -> Tables:
    """Tables of a plugin at its first revision."""
    folder = tmp_path / "with 100% odd name"
    body = """
    op.create_table("ups_samples", sa.Column("sequence", sa.Integer,
        sa.ForeignKey("events.sequence"), primary_key=True))
    """
    revision(folder, "ups_0001", None, body)
    return Tables(sa.MetaData(), folder)


def tables_of(engine: Engine) -> set[str]:
    return set(sa.inspect(engine).get_table_names())


def test_the_migrations_make_exactly_the_declared_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": "alembic_version_core"}
        )
        assert compare_metadata(context, metadata) == []


def test_every_column_of_the_core_says_what_it_is() -> None:
    bare = [
        str(column)
        for table in metadata.sorted_tables
        for column in table.columns
        if not column.comment
    ]
    assert bare == []


def test_the_core_comes_first_and_plugins_behind_it(tmp_path: Path, ups: Tables) -> None:
    engine = open_engine(store_url(tmp_path / "data"))
    steps = migrate(engine, [("vigilar-ups", ups)], snapshots_dir=None, time_us=1)
    assert [step.distribution for step in steps] == ["core", "vigilar-ups"]
    assert {"events", "ups_samples", "alembic_version_vigilar_ups"} <= tables_of(engine)
    assert migrate(engine, [("vigilar-ups", ups)], snapshots_dir=None, time_us=1) == []
    engine.dispose()


def test_an_uninstalled_plugin_does_not_stand_in_the_way(tmp_path: Path, ups: Tables) -> None:
    engine = open_engine(store_url(tmp_path / "data"))
    migrate(engine, [("vigilar-ups", ups)], snapshots_dir=None, time_us=1)
    assert migrate(engine, [], snapshots_dir=None, time_us=1) == []
    assert "ups_samples" in tables_of(engine)
    engine.dispose()


def test_an_existing_database_is_copied_before_it_changes(
    tmp_path: Path, engine: Engine, ups: Tables
) -> None:
    migrate(engine, [("vigilar-ups", ups)], snapshots_dir=tmp_path / "copies", time_us=1)
    (copy,) = (tmp_path / "copies").iterdir()
    found = sqlite3.connect(copy)
    names = {name for (name,) in found.execute("SELECT name FROM sqlite_schema")}
    found.close()
    assert "events" in names
    assert "ups_samples" not in names


def test_only_the_latest_copies_are_kept(tmp_path: Path, engine: Engine, ups: Tables) -> None:
    for number in range(1, KEPT + 3):
        revision(ups.migrations, f"ups_{number + 1:04}", f"ups_{number:04}", "pass")
        migrate(engine, [("u", ups)], snapshots_dir=tmp_path / "copies", time_us=number)
    assert len(list((tmp_path / "copies").iterdir())) == KEPT


def test_a_new_database_needs_no_copy(tmp_path: Path) -> None:
    engine = open_engine(store_url(tmp_path / "data"))
    migrate(engine, [], snapshots_dir=tmp_path / "copies", time_us=1)
    assert not (tmp_path / "copies").exists()
    engine.dispose()


def test_a_failed_step_changes_nothing(tmp_path: Path, engine: Engine, ups: Tables) -> None:
    revision(ups.migrations, "ups_0002", "ups_0001", "op.execute('SELECT no_such_column')")
    before = tables_of(engine)
    with pytest.raises(sa.exc.OperationalError):
        migrate(engine, [("vigilar-ups", ups)], snapshots_dir=None, time_us=1)
    assert tables_of(engine) == before


def test_a_database_from_the_future_is_refused_untouched(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version_core SET version_num = 'core_9999'")
    before = (tmp_path / "vigilar.db").read_bytes()
    with pytest.raises(FutureDatabaseError, match="core_9999"):
        migrate(engine, [], snapshots_dir=tmp_path / "copies", time_us=1)
    assert (tmp_path / "vigilar.db").read_bytes() == before


def test_those_who_only_read_wait_for_the_migration(tmp_path: Path, ups: Tables) -> None:
    engine = open_engine(store_url(tmp_path / "data"))
    with pytest.raises(NotReadyError, match="core, vigilar-ups"):
        require_migrated(engine, [("vigilar-ups", ups)])
    migrate(engine, [("vigilar-ups", ups)], snapshots_dir=None, time_us=1)
    require_migrated(engine, [("vigilar-ups", ups)])
    assert pending(engine, [("vigilar-ups", ups)]) == []
    engine.dispose()


def test_a_snapshot_never_overwrites(tmp_path: Path, engine: Engine) -> None:
    target = snapshot(engine, tmp_path / "copy.db")
    with pytest.raises(PermanentError, match="exists already"):
        snapshot(engine, target)
    assert not list(tmp_path.glob(".copy*"))
