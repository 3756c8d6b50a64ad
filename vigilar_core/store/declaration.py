"""How a plugin declares tables, their migrations, and the rows that follow from its events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vigilar_core.events import Event

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData


@dataclass(frozen=True, slots=True)
class Projection:
    """A row that follows from an event; written by the ledger in the event's own transaction.

    :param kinds: names of the event kinds it wants
    :param apply: called with the open transaction and the event, ``sequence`` set; only SQL,
        the same event twice must leave the same rows
    """

    kinds: Sequence[str]
    apply: Callable[[Connection, Event], None]


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one distribution.

    :param metadata: the SQLAlchemy tables
    :param migrations: folder of Alembic revision files, a branch of its own
    :param projections: rows that follow from events
    """

    metadata: MetaData
    migrations: Path
    projections: Sequence[Projection] = ()
