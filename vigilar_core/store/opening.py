"""Opening the store for its owner: repaired if damaged, migrated if old, never silently empty."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Engine

from vigilar_core.store.check import BUDGET_S, look_for_damage
from vigilar_core.store.engine import database_file, open_engine
from vigilar_core.store.migrate import Parts, migrate
from vigilar_core.store.salvage import Salvage, number_behind, salvage
from vigilar_core.store.snapshot import time_name
from vigilar_core.store.tables import events

_log = structlog.get_logger(__name__)

#: Says beside the database that there was one.
_MARK: Final = ".made"
#: Says that it misbehaved and must be looked at closely.
_SUSPECT: Final = ".suspect"


@dataclass(frozen=True, slots=True)
class Repair:
    """A database that was lost or damaged, and what is left of it.

    :param moved_to: the damaged file; empty when there was none
    :param events: events that were kept
    :param lost: rows that were not, as far as that can be told
    """

    reason: str
    moved_to: str
    events: int
    lost: int


def open_store(
    url: str, parts: Parts, *, snapshots_dir: Path, time_us: int
) -> tuple[Engine, Repair | None]:
    """An engine for the writer, and what had to be repaired first.

    A damaged file is never deleted: it is moved aside under a name with the time, and everything
    that can be read of it goes into a new one. Should nothing be readable, the newest snapshot
    gives what it has.

    :raises FutureDatabaseError: the database was migrated by a newer version
    """
    path = database_file(url)
    repair = None
    if path is not None and (reason := _trouble(path)):
        repair = _repair(path, reason, url, parts, snapshots_dir, time_us)
    engine = open_engine(url)
    try:
        migrate(engine, parts, snapshots_dir=snapshots_dir, time_us=time_us)
    except BaseException:
        engine.dispose()
        raise
    if path is not None:
        _beside(path, _MARK).write_text(json.dumps({"made_us": time_us}))
    return engine, repair


def suspect(url: str) -> None:
    """Note that the database misbehaved: the next start looks at all of it."""
    if (path := database_file(url)) is not None:
        _beside(path, _SUSPECT).touch()


def _trouble(path: Path) -> str:
    """What is wrong; empty if nothing."""
    if not path.exists() or path.stat().st_size == 0:
        return "the database is gone" if _beside(path, _MARK).exists() else ""
    doubtful = _beside(path, _SUSPECT)
    found = look_for_damage(path, budget_s=None if doubtful.exists() else BUDGET_S)
    doubtful.unlink(missing_ok=True)
    return found[0] if found else ""


def _repair(
    path: Path, reason: str, url: str, parts: Parts, snapshots_dir: Path, time_us: int
) -> Repair:
    _log.error("the database is damaged", path=str(path), reason=reason)
    damaged = _move_aside(path, time_us)
    # Where nobody can tell which numbers were given, they go on with the milliseconds since 1970:
    # more than events have ever happened, also when the database is lost again soon.
    beyond = time_us // 1000
    result = Salvage() if damaged is None else _start_anew(url, parts, time_us, damaged, beyond)
    if not result.kept.get(events.name):
        result = _go_back(path, url, parts, time_us, snapshots_dir, beyond) or result
    kept = result.kept.get(events.name, 0)
    _log.error("the database was repaired", kept=result.kept, lost=result.lost)
    return Repair(reason, "" if damaged is None else str(damaged), kept, result.lost)


def _go_back(
    path: Path, url: str, parts: Parts, time_us: int, snapshots_dir: Path, beyond: int
) -> Salvage | None:
    """What the newest snapshot has, or an empty database with numbers of its own."""
    path.unlink(missing_ok=True)
    copies = sorted(snapshots_dir.glob("*.db"))
    if not copies:
        _start_anew(url, parts, time_us, None, beyond)
        return None
    _log.error("nothing could be read; going back to a snapshot", path=str(copies[-1]))
    result = _start_anew(url, parts, time_us, copies[-1], beyond)
    number_behind(path, beyond)
    return result


def _start_anew(url: str, parts: Parts, time_us: int, source: Path | None, beyond: int) -> Salvage:
    """A new database with what can be read of a file."""
    target = database_file(url)
    assert target is not None
    engine = open_engine(url)
    migrate(engine, parts, snapshots_dir=None, time_us=time_us)
    engine.dispose()
    if source is None:
        number_behind(target, beyond)
        return Salvage()
    result = salvage(source, target, parts)
    number_behind(target, result.highest or beyond)
    return result


def _move_aside(path: Path, time_us: int) -> Path | None:
    """The file and what SQLite keeps beside it, under one new name."""
    if not path.exists() or path.stat().st_size == 0:
        path.unlink(missing_ok=True)
        return None
    target = path.with_name(f"{path.name}.damaged-{time_name(time_us)}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(target.with_name(target.name + suffix))
    return target


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
