"""Committed events as JSON objects, the way the ledger re-publishes and replays them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vigilar_core.errors import UntrustedMessageError
from vigilar_core.events import Event, Severity


def event_to_json(event: Event) -> dict[str, Any]:
    """A JSON object with every field of a committed event; times in microseconds."""
    return {
        "sequence": event.sequence,
        "id": event.id,
        "kind": event.kind,
        "topic": event.topic,
        "subject": event.subject,
        "source": event.source,
        "time": event.time_us,
        "severity": event.severity.value,
        "data": event.data,
        "caused_by": event.caused_by,
        "hops": event.hops,
    }


def event_from_json(members: Mapping[str, Any]) -> Event:
    """The event again.

    :raises UntrustedMessageError: it is not one
    """
    try:
        return Event(
            id=str(members["id"]),
            kind=str(members["kind"]),
            topic=str(members["topic"]),
            subject=str(members["subject"]),
            source=str(members["source"]),
            time_us=int(members["time"]),
            severity=Severity(members["severity"]),
            data=dict(members["data"]),
            sequence=int(members["sequence"]),
            caused_by=members["caused_by"],
            hops=int(members["hops"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UntrustedMessageError(f"not an event: {error!r}") from None
