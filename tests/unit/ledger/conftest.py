"""A ledger in one process: a real database, and a bus that only remembers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from vigilar_core.bus import topics
from vigilar_core.bus.envelope import Envelope
from vigilar_core.bus.event_id import event_id
from vigilar_core.events import Event, EventCatalogue, EventKind, Severity
from vigilar_core.ledger.journal import Journal
from vigilar_core.ledger.kinds import LEDGER_KINDS
from vigilar_core.ledger.ledger import Ledger
from vigilar_core.store.engine import open_engine, store_url
from vigilar_core.store.migrate import Parts, migrate
from vigilar_core.store.reserve import Reserve
from vigilar_core.testing import FakeClock

KINDS = (
    EventKind("motion_start", "vigilar/camera/{camera}/motion/start", Severity.NOTICE, "Motion"),
    *LEDGER_KINDS,
)
MOTION = "vigilar/camera/hall/motion/start"


@dataclass
class MadeBus:
    """Remembers what is published; its raw handler is called by hand."""

    states: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    counters: Counter[str] = field(default_factory=Counter)
    handler: Callable[[str, Envelope], None] | None = None

    def subscribe_raw(self, pattern: str, handler: Callable[[str, Envelope], None]) -> None:
        self.handler = handler

    def publish_state(self, topic: str, data: Mapping[str, Any], *, retain: bool = False) -> None:
        self.states.append((topic, data))

    def publish_event(
        self, topic: str, /, *, caused_by: Event | None = None, **fields: Any
    ) -> None:
        self.events.append((topic, fields))

    def on(self, topic: str) -> list[Mapping[str, Any]]:
        """What was published on a topic."""
        return [data for published, data in self.states if published == topic]

    def said(self, name: str) -> list[dict[str, Any]]:
        """The ledger's own events of a kind."""
        return [data for topic, data in self.events if topic == f"vigilar/system/{name}"]


@dataclass
class House:
    """A ledger with its surroundings."""

    bus: MadeBus
    clock: FakeClock
    catalogue: EventCatalogue
    journal: Journal
    ledger: Ledger

    def send(self, source: str = "camera:hall", topic: str = MOTION, **changes: Any) -> Envelope:
        """Let an event arrive."""
        now_us = self.clock.time_us()
        members = {
            "id": event_id(now_us),
            "seq": 1,
            "source": source,
            "time_us": now_us,
            "sent_us": now_us,
            "kind": "motion_start",
            "data": {},
        }
        envelope = Envelope(**{**members, **changes})
        assert self.bus.handler is not None
        self.bus.handler(topic, envelope)
        return envelope

    def acknowledged(self, source: str = "camera:hall") -> list[str]:
        answers = self.bus.on(topics.acknowledgement(source))
        return [each for answer in answers for each in answer["ids"]]

    def committed(self) -> list[Mapping[str, Any]]:
        return self.bus.on(topics.COMMITTED)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    found = open_engine(store_url(tmp_path))
    migrate(found, [], snapshots_dir=None, time_us=1)
    yield found
    found.dispose()


@pytest.fixture
def make_house(engine: Engine) -> Callable[..., House]:
    """Make a ledger over the database; again for another life of it."""

    def make(
        parts: Parts = (),
        clock: FakeClock | None = None,
        engine: Engine = engine,
        reserve: Reserve | None = None,
    ) -> House:
        bus, clock = MadeBus(), clock or FakeClock()
        catalogue = EventCatalogue.of(KINDS)
        journal = Journal(engine, clock, parts)
        house = House(bus, clock, catalogue, journal, None)  # type: ignore[arg-type]
        house.ledger = Ledger(house, bus, journal, reserve)  # type: ignore[arg-type]
        house.ledger.open()
        return house

    return make


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house()
