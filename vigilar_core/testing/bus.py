"""A bus within one process, delivering at once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from vigilar_core.bus import Handler, Message, topics
from vigilar_core.clock import Clock
from vigilar_core.events import Event, EventCatalogue, EventKind, subject_of
from vigilar_core.testing.clock import FakeClock


class FakeBus:
    """Keeps what was published and hands it to subscribers, in the publisher's call.

    :param kinds: the declared event kinds; publishing another topic raises ``ValueError`` as
        the real bus does
    """

    def __init__(
        self, kinds: Iterable[EventKind] = (), *, clock: Clock | None = None, source: str = "test"
    ) -> None:
        self.catalogue = EventCatalogue.of(kinds)
        self.events: list[Event] = []
        self.states: list[Message] = []
        self._clock = clock or FakeClock()
        self._source = source
        self._handlers: list[tuple[str, Handler]] = []
        self._event_handlers: list[Callable[[Event], None]] = []

    def publish_event(
        self,
        topic: str,
        /,
        *,
        time_us: int | None = None,
        caused_by: Event | None = None,
        **fields: Any,
    ) -> str:
        kind = self.catalogue.classify(topic)
        if kind is None:
            raise ValueError(f"no event kind is declared for topic {topic!r}")
        event = Event(
            id=uuid.uuid4().hex,
            kind=kind.name,
            topic=topic,
            subject=subject_of(topic),
            source=self._source,
            time_us=self._clock.time_us() if time_us is None else time_us,
            severity=kind.severity,
            data=json.loads(json.dumps(fields, allow_nan=False)),
            sequence=len(self.events) + 1,
            caused_by=caused_by.id if caused_by else None,
            hops=caused_by.hops + 1 if caused_by else 0,
        )
        self.events.append(event)
        self._deliver(topic, event.data)
        for handler in list(self._event_handlers):
            handler(event)
        return event.id

    def publish_state(
        self, topic: str, data: Mapping[str, Any], /, *, retain: bool = False
    ) -> None:
        self.states.append(self._deliver(topic, json.loads(json.dumps(data, allow_nan=False))))

    def subscribe(self, pattern: str, handler: Handler, /) -> None:
        self._handlers.append((pattern, handler))

    def subscribe_events(
        self, handler: Callable[[Event], None], /, *, after: int | None = None
    ) -> None:
        for event in self.events[after:] if after is not None else ():
            handler(event)
        self._event_handlers.append(handler)

    def kinds(self) -> list[str]:
        """Names of the kinds published so far, in order."""
        return [event.kind for event in self.events]

    def _deliver(self, topic: str, data: Mapping[str, Any]) -> Message:
        message = Message(topic, self._source, self._clock.time_us(), data)
        for pattern, handler in list(self._handlers):
            if topics.matches(pattern, topic):
                handler(message)
        return message
