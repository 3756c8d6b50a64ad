"""Reading the register of recordings, and the few changes that people make in it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine, RowMapping

from vigilar_core.store.engine import writing
from vigilar_recorder.tables import recordings

_MOTION_NOTHING: dict[str, Any] = {"starts": 0, "confidence": 0.0, "zones": []}


@dataclass(frozen=True, slots=True)
class Recording:
    """A row of the register; names and units as in the table."""

    id: str
    camera: str
    path: str
    start_time_us: int
    end_time_us: int | None
    duration_s: float | None
    size_bytes: int | None
    sha256: str | None
    trigger: str
    trigger_time_us: int
    who: str
    pre_roll_s: float
    video_codec: str
    audio_codec: str | None
    width: int
    height: int
    key_frames_only: bool
    encrypted: bool
    continues: str | None
    ended_by: str | None
    motion: dict[str, Any]
    thumbnail: str | None
    sealed: bool
    recovered: bool
    starred: bool
    held: bool
    deleting_reason: str | None
    deleting_by: str | None

    @classmethod
    def of(cls, row: RowMapping) -> Recording:
        values = dict(row)
        values["motion"] = json.loads(values["motion"]) if values["motion"] else _MOTION_NOTHING
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Search:
    """Which recordings are wanted, newest first; what is left open does not narrow.

    :param cameras: ids; ``None``: all
    :param since_us: begun at or after, µs since 1970 UTC
    :param until_us: begun before
    :param before: time and id of the last recording of the page before
    """

    cameras: Collection[str] | None = None
    trigger: str = ""
    starred: bool = False
    since_us: int | None = None
    until_us: int | None = None
    before: tuple[int, str] | None = None


class Register:
    """The table ``recordings``.

    :param engine: the store
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def search(self, search: Search, limit: int) -> list[Recording]:
        """A page of recordings, newest first; those being deleted are not shown."""
        columns = recordings.c
        query = sa.select(recordings).where(columns.deleting_reason.is_(None))
        if search.cameras is not None:
            query = query.where(columns.camera.in_(search.cameras))
        if search.trigger:
            query = query.where(columns.trigger == search.trigger)
        if search.starred:
            query = query.where(columns.starred)
        if search.since_us is not None:
            query = query.where(columns.start_time_us >= search.since_us)
        if search.until_us is not None:
            query = query.where(columns.start_time_us < search.until_us)
        if search.before is not None:
            query = query.where(sa.tuple_(columns.start_time_us, columns.id) < search.before)
        order = columns.start_time_us.desc(), columns.id.desc()
        return self._rows(query.order_by(*order).limit(limit))

    def get(self, recording: str) -> Recording | None:
        """One recording that is not being deleted."""
        found = self._rows(
            sa.select(recordings).where(
                recordings.c.id == recording, recordings.c.deleting_reason.is_(None)
            )
        )
        return found[0] if found else None

    def beginning(self, prefix: str, limit: int = 2) -> list[Recording]:
        """Recordings whose id begins so, those being deleted too."""
        columns = recordings.c
        begins = columns.id.startswith(prefix, autoescape=True)
        return self._rows(sa.select(recordings).where(begins).order_by(columns.id).limit(limit))

    def at(self, camera: str, time_us: int) -> Recording | None:
        """The recording of a camera that shows a moment best: everything before key frames."""
        columns = recordings.c
        query = (
            sa.select(recordings)
            .where(
                columns.camera == camera,
                columns.start_time_us <= time_us,
                columns.deleting_reason.is_(None),
                sa.or_(columns.end_time_us.is_(None), columns.end_time_us >= time_us),
            )
            .order_by(columns.start_time_us.desc())
            .limit(4)
        )
        return min(self._rows(query), key=lambda each: each.key_frames_only, default=None)

    def all(self) -> list[Recording]:
        """Every row, oldest first, those being deleted too."""
        return self._rows(sa.select(recordings).order_by(recordings.c.start_time_us))

    def expired(self, camera: str, end_before_us: int, limit: int) -> list[Recording]:
        """Sealed recordings of a camera that nobody keeps and that ended before a moment."""
        columns = recordings.c
        query = (
            sa.select(recordings)
            .where(
                columns.camera == camera,
                columns.end_time_us < end_before_us,
                columns.sealed,
                ~columns.starred,
                ~columns.held,
                columns.deleting_reason.is_(None),
            )
            .order_by(columns.start_time_us)
            .limit(limit)
        )
        return self._rows(query)

    def cameras(self) -> list[str]:
        """Ids of all cameras that have recordings."""
        query = sa.select(recordings.c.camera).distinct().order_by(recordings.c.camera)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

    def marked(self, limit: int) -> list[Recording]:
        """Recordings that are being deleted."""
        query = sa.select(recordings).where(recordings.c.deleting_reason.is_not(None))
        return self._rows(query.order_by(recordings.c.start_time_us).limit(limit))

    def star(self, recording: str, starred: bool) -> bool:
        """Keep a recording, or no longer.

        :returns: whether there is such a recording
        """
        change = sa.update(recordings).where(recordings.c.id == recording).values(starred=starred)
        with writing(self._engine) as connection:
            return connection.execute(change).rowcount > 0

    def mark(self, ids: Iterable[str], reason: str, who: str) -> list[str]:
        """Mark recordings for deletion: from now on nobody sees them.

        :returns: ids of those that were marked; held and open ones are not
        """
        columns, marked = recordings.c, []
        with writing(self._engine) as connection:
            for recording in ids:
                change = sa.update(recordings).where(
                    columns.id == recording,
                    columns.sealed,
                    ~columns.held,
                    columns.deleting_reason.is_(None),
                )
                values = {"deleting_reason": reason, "deleting_by": who}
                if connection.execute(change.values(values)).rowcount:
                    marked.append(recording)
        return marked

    def remove_rows(self, ids: Sequence[str]) -> None:
        """Forget rows whose files are gone; for repairs."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(recordings).where(recordings.c.id.in_(ids)))

    def note(self, values: dict[str, Any]) -> None:
        """Add or complete a row; for repairs."""
        same = recordings.c.id == values["id"]
        with writing(self._engine) as connection:
            if not connection.execute(sa.update(recordings).where(same).values(values)).rowcount:
                connection.execute(sa.insert(recordings).values(values))

    def _rows(self, query: sa.Select[Any]) -> list[Recording]:
        with self._engine.connect() as connection:
            return [Recording.of(row) for row in connection.execute(query).mappings()]
