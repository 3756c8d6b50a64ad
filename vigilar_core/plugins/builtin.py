"""What the core itself contributes, in the shape in which plugins contribute."""

from __future__ import annotations

from vigilar_core.events import EventKind
from vigilar_core.ledger.kinds import LEDGER_KINDS
from vigilar_core.runtime.kinds import RUNTIME_KINDS


def event_kinds() -> tuple[EventKind, ...]:
    """The kinds of event that the core publishes."""
    return (*RUNTIME_KINDS, *LEDGER_KINDS)
