"""The supervisor's own events on their way to the ledger: kept in a spool until committed."""

from __future__ import annotations

import logging
from typing import Any

from vigilar_core.bus.client import MqttBus

#: Name that the supervisor signs with.
SERVICE = "supervisor"

log = logging.getLogger(__name__)


class BusHerald:
    """Publishes through a bus whose network lives in a thread of its own.

    Publishing writes to a spool and hands over; with no broker the events stay in the spool.

    :param bus: not started yet, of the service :data:`SERVICE`
    :raises NotReadyError: another process holds the supervisor's spool
    """

    def __init__(self, bus: MqttBus) -> None:
        self._bus = bus
        bus.start()

    def fileno(self) -> int:
        """Readable when :meth:`turn` has something to do."""
        return self._bus.fileno()

    def tell(self, topic: str, **fields: Any) -> None:
        """Publish an event."""
        try:
            self._bus.publish_event(topic, **fields)
        except (ValueError, OSError):
            # What cannot be told must not stop what keeps the house running.
            log.exception("an event of the supervisor is lost: %s", topic)

    def turn(self) -> None:
        """Called once each turn of the loop: acknowledgements in, what is due out."""
        self._bus.deliver()

    def close(self) -> None:
        """Disconnect; what is not committed waits in the spool for the next start."""
        self._bus.close()
