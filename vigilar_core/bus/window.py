"""The window: events on their way to the ledger, and when each is due again. Pure."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from vigilar_core.bus.spool import SpooledEvent

#: Events on their way at once.
LIMIT: Final = 256
_FIRST_PATIENCE_S: Final = 3.0
_LONGEST_PATIENCE_S: Final = 60.0


@dataclass(slots=True)
class _Entry:
    event: SpooledEvent
    due_s: float = math.inf
    patience_s: float = field(default_factory=lambda: _FIRST_PATIENCE_S)


class Window:
    """Holds a bounded number of events until the ledger has acknowledged each."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        #: All, oldest first, and of these the ones that never went out.
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._fresh: OrderedDict[str, SpooledEvent] = OrderedDict()
        #: No event is due again before this moment.
        self._earliest_s = math.inf

    @property
    def room(self) -> int:
        """How many more events fit."""
        return self._limit - len(self._entries)

    def add(self, event: SpooledEvent) -> None:
        """Take an event in; it is due at once."""
        self._entries[event.id] = _Entry(event)
        self._fresh[event.id] = event

    def due(self, now_s: float) -> list[SpooledEvent]:
        """Events to send now, oldest first."""
        again = []
        if now_s >= self._earliest_s:
            entries = self._entries.values()
            again = [entry.event for entry in entries if entry.due_s <= now_s]
            later = (entry.due_s for entry in entries if entry.due_s > now_s)
            self._earliest_s = now_s if again else min(later, default=math.inf)
        return [*again, *self._fresh.values()]

    def sent(self, event_id: str, now_s: float) -> None:
        """It went out; from now on it is due again after a time that grows."""
        self._fresh.pop(event_id, None)
        entry = self._entries[event_id]
        entry.due_s = now_s + entry.patience_s
        entry.patience_s = min(2 * entry.patience_s, _LONGEST_PATIENCE_S)
        self._earliest_s = min(self._earliest_s, entry.due_s)

    def acknowledge(self, ids: Iterable[str]) -> None:
        """Forget events; unknown ids mean nothing."""
        for event_id in ids:
            self._entries.pop(event_id, None)
            self._fresh.pop(event_id, None)

    def send_again(self) -> None:
        """All are due at once: the connection or the ledger is new."""
        self._fresh.clear()
        for entry in self._entries.values():
            entry.due_s = self._earliest_s = -math.inf
            entry.patience_s = _FIRST_PATIENCE_S
