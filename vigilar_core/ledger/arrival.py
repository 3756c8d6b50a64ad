"""What arrives for the ledger, classified. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from vigilar_core.bus.envelope import Envelope
from vigilar_core.events import Event, EventCatalogue, EventKind, subject_of


@dataclass(frozen=True, slots=True)
class Arrival:
    """A verified event on its way into the database.

    :param data_json: its data as it will be stored
    """

    topic: str
    envelope: Envelope
    kind: EventKind
    data_json: str

    def committed(self, sequence: int) -> Event:
        """The event with its number."""
        envelope = self.envelope
        return Event(
            id=envelope.id,
            kind=self.kind.name,
            topic=self.topic,
            subject=subject_of(self.topic),
            source=envelope.source,
            time_us=envelope.time_us,
            severity=self.kind.severity,
            data=envelope.data,
            sequence=sequence,
            caused_by=envelope.caused_by,
            hops=envelope.hops,
        )


class RefusedEvent(ValueError):  # noqa: N818 - not an error of this program
    """An event that will not be stored however often it is sent."""


def classify(topic: str, envelope: Envelope, catalogue: EventCatalogue) -> Arrival:
    """The event with its kind.

    :raises RefusedEvent: the topic belongs to no kind, or to another one than the publisher says
    """
    kind = catalogue.classify(topic)
    if kind is None:
        raise RefusedEvent("no plugin that runs declares this topic")
    if kind.name != envelope.kind:
        raise RefusedEvent(f"the topic belongs to {kind.name}, the publisher says {envelope.kind}")
    return Arrival(topic, envelope, kind, json.dumps(envelope.data, separators=(",", ":")))
