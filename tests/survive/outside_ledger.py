"""Somebody outside: publishes events, notes which were acknowledged, follows all committed ones.

What it wrote down outlives every process that a test kills, so that a loss cannot hide.
"""

from __future__ import annotations

import select
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.survive.house import rows_of
from vigilar_core.bus import topics
from vigilar_core.bus.address import choose_broker
from vigilar_core.bus.client import MqttBus
from vigilar_core.bus.envelope import Envelope
from vigilar_core.bus.secret import bus_secret
from vigilar_core.clock import SystemClock
from vigilar_core.events import Event, EventCatalogue
from vigilar_core.runtime.kinds import RUNTIME_KINDS
from vigilar_core.testing import Installation, eventually

SERVICE: Final = "outside"
TOPIC: Final = "vigilar/service/outside/started"
_EVENTS: Final = "SELECT sequence, id FROM events"


@dataclass
class Notes:
    """What was seen from outside."""

    published: list[str] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    #: Sequence number and id of each committed event, as the ledger told everybody.
    committed: list[tuple[int, str]] = field(default_factory=list)

    def lost(self, database: Path) -> set[str]:
        """Acknowledged or announced events that the database does not hold under their number."""
        told, committed = set(self.acknowledged), list(self.committed)
        told.update(each for _, each in committed)
        found = {row["id"]: row["sequence"] for row in rows_of(database, _EVENTS)}
        moved = {each for number, each in committed if found.get(each, number) != number}
        return (told - found.keys()) | moved


class OutsideLedger:
    """A client of the private broker with a loop of its own; use it as a context manager.

    :param interval_s: between two events it publishes
    :param text: what they say
    """

    def __init__(
        self,
        vigilar: Installation,
        spool_dir: Path,
        interval_s: float = 0.02,
        *,
        text: str = SERVICE,
    ) -> None:
        self.notes = Notes()
        self._interval_s = interval_s
        self._text = text
        self._end = threading.Event()
        self._silent = threading.Event()
        self._bus = MqttBus(
            choose_broker(None, vigilar.folder / "run"),
            SERVICE,
            bus_secret(vigilar.folder / "secrets", None),
            EventCatalogue.of(RUNTIME_KINDS),
            spool_dir,
            SystemClock(),
        )
        self._bus.subscribe_raw(topics.acknowledgement(SERVICE), self._acknowledged)
        self._bus.subscribe_events(self._committed)
        self._thread = threading.Thread(target=self._run, name="outside ledger")

    def __enter__(self) -> OutsideLedger:
        self._bus.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._bus.close()

    def flowing(self, *, within_s: float = 20.0) -> None:
        """Wait until events published from now on are acknowledged."""
        mark = len(self.notes.published)
        eventually(
            lambda: any(each in self.notes.acknowledged for each in self._since(mark)),
            within_s=within_s,
            what="events flow",
        )

    def drained(self, *, within_s: float = 20.0) -> None:
        """Publish no more and wait until all was acknowledged; then go on."""
        self._silent.set()
        try:
            eventually(
                lambda: set(self._since(0)) <= self.notes.acknowledged,
                within_s=within_s,
                what="everything published is acknowledged",
            )
        finally:
            self._silent.clear()

    def pending(self) -> int:
        """Events that were published and not acknowledged."""
        return self._bus.pending

    def _since(self, mark: int) -> list[str]:
        return self.notes.published[mark:]

    def _acknowledged(self, _topic: str, envelope: Envelope) -> None:
        self.notes.acknowledged.update(envelope.data["ids"])

    def _committed(self, event: Event) -> None:
        assert event.sequence is not None
        self.notes.committed.append((event.sequence, event.id))

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._bus.fileno(), select.POLLIN)
        due_s = time.monotonic()
        while not self._end.is_set():
            poll.poll(self._interval_s * 1000)
            self._bus.deliver(500)
            if time.monotonic() >= due_s and not self._silent.is_set():
                due_s = time.monotonic() + self._interval_s
                number = len(self.notes.published)
                event = self._bus.publish_event(TOPIC, name=self._text, number=number)
                self.notes.published.append(event)
