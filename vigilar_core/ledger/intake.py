"""The intake: arrivals that wait for a commit, bounded, and what has to be told of refused ones."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from vigilar_core.bus.envelope import Envelope
from vigilar_core.events import EventCatalogue
from vigilar_core.ledger.arrival import Arrival, RefusedEvent, classify

#: Arrivals kept while the database takes none; the publishers keep the rest.
LIMIT: Final = 5000
LIMIT_BYTES: Final = 32 * 1024 * 1024


class Intake:
    """Arrivals in the order they came, each id once."""

    def __init__(self, catalogue: EventCatalogue) -> None:
        self._catalogue = catalogue
        self._waiting: OrderedDict[str, Arrival] = OrderedDict()
        self._size_bytes = 0
        #: Refused ids and reasons by publisher, to be told to them.
        self.refused: dict[str, dict[str, str]] = {}
        #: How often by publisher, topic and reason, to be told to people.
        self.refusals: dict[tuple[str, str, str], int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def take_in(self, topic: str, envelope: Envelope) -> None:
        """Keep an event if there is room; without room its publisher sends it again."""
        if envelope.id in self._waiting:
            return
        if len(self._waiting) >= LIMIT or self._size_bytes >= LIMIT_BYTES:
            return
        try:
            arrival = classify(topic, envelope, self._catalogue)
        except RefusedEvent as refusal:
            self.refuse(topic, envelope, str(refusal))
            return
        self._waiting[envelope.id] = arrival
        self._size_bytes += len(arrival.data_json)

    def refuse(self, topic: str, envelope: Envelope, reason: str) -> None:
        """Note that an event will never be stored."""
        self.refused.setdefault(envelope.source, {})[envelope.id] = reason
        key = (envelope.source, topic, reason)
        if key in self.refusals or len(self.refusals) < LIMIT:
            self.refusals[key] = self.refusals.get(key, 0) + 1

    def oldest(self, limit: int) -> list[Arrival]:
        """The first arrivals; they stay until :meth:`done`."""
        return [arrival for arrival, _ in zip(self._waiting.values(), range(limit), strict=False)]

    def done(self, arrivals: list[Arrival]) -> None:
        """Forget arrivals that are committed or refused."""
        for arrival in arrivals:
            if self._waiting.pop(arrival.envelope.id, None) is not None:
                self._size_bytes -= len(arrival.data_json)
