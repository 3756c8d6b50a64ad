"""What a plugin sees of the bus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from vigilar_core.events import Event


@dataclass(frozen=True, slots=True)
class Message:
    """A verified message from another service, or from the same one.

    :param topic: the topic it came on, without wildcards
    :param source: the service that signed it
    :param sent_us: when it was sent, microseconds since 1970 UTC
    :param data: JSON object
    """

    topic: str
    source: str
    sent_us: int
    data: Mapping[str, Any]


Handler = Callable[[Message], None]


class Bus(Protocol):
    """Publish and subscribe. Handlers run in the service's own loop, never in a network thread."""

    def publish_event(
        self,
        topic: str,
        /,
        *,
        time_us: int | None = None,
        caused_by: Event | None = None,
        **fields: Any,
    ) -> str:
        """Publish something that happened; kept and resent until the ledger has committed it.

        :param topic: a topic of a declared :class:`~vigilar_core.events.EventKind`
        :param time_us: when it happened; now when omitted
        :param caused_by: the event it follows from
        :param fields: JSON-compatible data of the event
        :returns: the id of the event
        :raises ValueError: nobody declared the topic, or a field cannot be written as JSON
        """

    def publish_state(
        self, topic: str, data: Mapping[str, Any], /, *, retain: bool = False
    ) -> None:
        """Publish a passing state; lost when nobody listens, unless retained."""

    def subscribe(self, pattern: str, handler: Handler, /) -> None:
        """Call ``handler`` with each verified message whose topic matches an MQTT pattern."""

    def subscribe_events(
        self, handler: Callable[[Event], None], /, *, after: int | None = None
    ) -> None:
        """Call ``handler`` with each committed event in the ledger's order, none left out.

        :param after: sequence number to continue from; ``None``: only what comes from now on
        """
