"""The feed of committed events: strictly in the ledger's order, none left out, none twice.

Pure: it is told what came and asks for what is missing. The ledger publishes batches that name
the sequence number before their first event; a batch that does not continue what is here means
that something was missed, and the feed asks for all events after its position, a batch at a time,
until it has caught up. While it lags it takes nothing live, so its memory is bounded however far
it lags.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from vigilar_core.bus.event_json import event_from_json
from vigilar_core.errors import UntrustedMessageError
from vigilar_core.events import Event

#: Events of one answer asked for.
BATCH: Final = 200
_QUEUE_LIMIT: Final = 1000
_FIRST_PATIENCE_S: Final = 1.0
_LONGEST_PATIENCE_S: Final = 30.0


class EventFeed:
    """One reader's place in the ledger.

    :param name: tells the readers of one service apart in answers
    :param after: sequence number to continue from; ``None``: from now on
    :param from_cursor: continue where the ledger remembers this service to be
    """

    def __init__(self, name: str, after: int | None, *, from_cursor: bool = False) -> None:
        self._name = name
        self._received = after
        self._from_cursor = from_cursor
        self._queue: deque[Event] = deque()
        self._lagging = True
        self._asked_s: float | None = None
        self._patience_s = _FIRST_PATIENCE_S
        #: Sequence number of the last event handed out.
        self.position = after

    def next_event(self) -> Event | None:
        """The next event in order, if it is here."""
        if not self._queue:
            return None
        event = self._queue.popleft()
        self.position = event.sequence
        return event

    @property
    def has_events(self) -> bool:
        return bool(self._queue)

    def reconnected(self) -> None:
        """Something may have been missed: the connection or the ledger is new."""
        self._lagging = True
        self._asked_s = None
        self._patience_s = _FIRST_PATIENCE_S

    def request(self, now_s: float) -> dict[str, Any] | None:
        """What to ask the ledger for, if anything is missing and the last question is too old."""
        if not self._lagging or len(self._queue) > _QUEUE_LIMIT - BATCH:
            return None
        if self._asked_s is not None:
            if now_s - self._asked_s < self._patience_s:
                return None
            self._patience_s = min(2 * self._patience_s, _LONGEST_PATIENCE_S)
        self._asked_s = now_s
        return {
            "reader": self._name,
            "after": self._received,
            "cursor": self._from_cursor and self._received is None,
            "limit": BATCH,
        }

    def live(self, batch: Mapping[str, Any]) -> None:
        """A batch as the ledger publishes it after a commit; empty ones tell the head only."""
        previous, events = _whole(batch, "previous"), _events(batch)
        if self._received is None:
            if self._from_cursor or not events:
                return
            self._received = self.position = previous
            self._lagging = False
        if previous > self._received:
            self._lagging = True
        if not self._lagging:
            self._accept(events)

    def answered(self, answer: Mapping[str, Any]) -> None:
        """An answer to a question of this feed or of another one of the same service."""
        if answer.get("reader") != self._name or self._asked_s is None:
            return
        after, head, events = answer.get("after"), _whole(answer, "head"), _events(answer)
        if self._received is None:
            self._received = self.position = head if after is None else _whole(answer, "after")
        elif after != self._received:
            return
        elif head < self._received:
            # The ledger was replaced by an older one; what it commits next must not be missed.
            self._received = head
        self._accept(events)
        self._lagging = self._received < head
        self._asked_s = None
        self._patience_s = _FIRST_PATIENCE_S

    def _accept(self, events: list[Event]) -> None:
        for event in events:
            assert event.sequence is not None
            if self._received is not None and event.sequence <= self._received:
                continue
            if len(self._queue) >= _QUEUE_LIMIT:
                self._lagging = True
                return
            self._queue.append(event)
            self._received = event.sequence


def _events(batch: Mapping[str, Any]) -> list[Event]:
    events = batch.get("events")
    if not isinstance(events, list):
        raise UntrustedMessageError("a batch without events")
    return [event_from_json(members) for members in events]


def _whole(batch: Mapping[str, Any], key: str) -> int:
    value = batch.get(key)
    if type(value) is not int:
        raise UntrustedMessageError(f"a batch without {key!r}")
    return value
