"""Batches of committed events for the bus, and who asked for which."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from vigilar_core.bus.envelope import MAX_BYTES
from vigilar_core.bus.event_json import event_to_json
from vigilar_core.events import Event

#: What an envelope adds around the events of a batch, bytes, generously.
_ENVELOPE_BYTES: Final = 2048
_ASKING_LIMIT: Final = 1000
_BATCH_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class Question:
    """A reader that wants events.

    :param after: sequence number it has; ``None``: it only wants to know where it stands
    :param from_cursor: it wants to continue where its service said it was
    """

    service: str
    reader: str
    after: int | None
    from_cursor: bool
    limit: int


class Questions:
    """Open questions, the latest of each reader, oldest first."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, str], Question] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def ask(self, service: str, data: Mapping[str, Any]) -> None:
        """Note a question; one without sense is left out."""
        reader, after, limit = data.get("reader"), data.get("after"), data.get("limit")
        if not isinstance(reader, str) or len(reader) > 64 or type(limit) is not int:
            return
        if after is not None and type(after) is not int:
            return
        if len(self._open) >= _ASKING_LIMIT:
            return
        self._open[service, reader] = Question(
            service,
            reader,
            after,
            data.get("cursor") is True,
            max(1, min(limit, _BATCH_LIMIT)),
        )

    def next(self) -> Question:
        return self._open.popitem(last=False)[1]


def fitting(events: Sequence[Event]) -> Iterator[list[dict[str, Any]]]:
    """Events as JSON objects in groups that fit one message each, at least one event in each."""
    group: list[dict[str, Any]] = []
    size_bytes = 0
    for event in events:
        members = event_to_json(event)
        length = len(json.dumps(members, separators=(",", ":"))) + 1
        if group and size_bytes + length > MAX_BYTES - _ENVELOPE_BYTES:
            yield group
            group, size_bytes = [], 0
        group.append(members)
        size_bytes += length
    if group:
        yield group
