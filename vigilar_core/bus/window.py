"""The window: events on their way to the ledger, and when each is due again. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vigilar_core.bus.spool import SpooledEvent

#: Events on their way at once.
LIMIT: Final = 256
_FIRST_PATIENCE_S: Final = 3.0
_LONGEST_PATIENCE_S: Final = 60.0


@dataclass(slots=True)
class _Sent:
    event: SpooledEvent
    due_s: float
    patience_s: float


class Window:
    """Holds a bounded number of events until the ledger has acknowledged each."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._sent: OrderedDict[str, _Sent] = OrderedDict()

    @property
    def room(self) -> int:
        """How many more events fit."""
        return self._limit - len(self._sent)

    def add(self, event: SpooledEvent) -> None:
        """Take an event in; it is due at once."""
        self._sent[event.id] = _Sent(event, -1.0, _FIRST_PATIENCE_S)

    def due(self, now_s: float) -> list[SpooledEvent]:
        """Events to send now, oldest first."""
        return [sent.event for sent in self._sent.values() if sent.due_s <= now_s]

    def sent(self, event_id: str, now_s: float) -> None:
        """It went out; from now on it is due again after a time that grows."""
        entry = self._sent[event_id]
        entry.due_s = now_s + entry.patience_s
        entry.patience_s = min(2 * entry.patience_s, _LONGEST_PATIENCE_S)

    def acknowledge(self, ids: Iterable[str]) -> None:
        """Forget events; unknown ids mean nothing."""
        for event_id in ids:
            self._sent.pop(event_id, None)

    def send_again(self) -> None:
        """All are due at once: the connection or the ledger is new."""
        for entry in self._sent.values():
            entry.due_s = -1.0
            entry.patience_s = _FIRST_PATIENCE_S
