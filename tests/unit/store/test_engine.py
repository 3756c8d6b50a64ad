"""Settings of each connection, and who may write when."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from vigilar_core.errors import ConfigurationError, NotReadyError
from vigilar_core.store.engine import database_file, open_engine, store_url, writing
from vigilar_core.store.tables import service_cursors


def pragma(engine: Engine, name: str) -> object:
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_the_default_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    assert database_file(store_url(tmp_path)) == tmp_path / "vigilar.db"


def test_a_password_with_odd_letters_survives(tmp_path: Path) -> None:
    url = store_url(tmp_path, "postgresql://v:p%40ss%2F@db/house")
    assert sa.make_url(url).password == "p@ss/"
    assert sa.make_url(url).drivername == "postgresql+psycopg"


def test_other_databases_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="mysql"):
        store_url(tmp_path, "mysql://db/house")


def test_a_commit_is_on_the_disk_unless_told_otherwise(tmp_path: Path, engine: Engine) -> None:
    assert pragma(engine, "synchronous") == 2  # FULL
    assert pragma(engine, "journal_mode") == "wal"
    assert pragma(engine, "foreign_keys") == 1
    light = open_engine(store_url(tmp_path), synchronous="NORMAL")
    assert pragma(light, "synchronous") == 1
    light.dispose()


def test_the_file_is_closed_to_strangers(tmp_path: Path, engine: Engine) -> None:
    assert stat.S_IMODE((tmp_path / "vigilar.db").stat().st_mode) == 0o640


def test_a_reader_cannot_write_and_needs_a_database(tmp_path: Path, engine: Engine) -> None:
    with pytest.raises(NotReadyError):
        open_engine(store_url(tmp_path / "none"), read_only=True)
    reader = open_engine(store_url(tmp_path), read_only=True)
    with pytest.raises(sa.exc.OperationalError), reader.begin() as connection:
        connection.execute(sa.delete(service_cursors))
    reader.dispose()


def test_writers_wait_for_each_other(engine: Engine) -> None:
    """Each reads first and then writes; begun without saying so, one would fail at once."""

    def count_up() -> None:
        for _ in range(25):
            with writing(engine) as connection:
                query = sa.select(service_cursors.c.position)
                number = connection.execute(query).scalar()
                connection.execute(sa.update(service_cursors).values(position=(number or 0) + 1))

    with writing(engine) as connection:
        row = {"service": "a", "position": 0, "updated_us": 0}
        connection.execute(sa.insert(service_cursors).values(row))
    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert connection.execute(sa.select(service_cursors.c.position)).scalar() == 100


def test_a_failed_transaction_leaves_nothing(engine: Engine) -> None:
    row = {"service": "a", "position": 0, "updated_us": 0}
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        connection.execute(sa.insert(service_cursors).values(row))
        raise ZeroDivisionError
    with engine.connect() as connection:
        assert connection.execute(sa.select(service_cursors)).all() == []
