"""Broker, ledger and publisher as processes of their own, for tests that kill them.

Usage: ``ledger_program.py FOLDER broker|ledger|careless-ledger`` or
``ledger_program.py FOLDER publisher NAME COUNT PAUSE_S``.
"""

from __future__ import annotations

import select
import sys
import time
from pathlib import Path
from typing import Any

import structlog

from vigilar_core.bus import topics
from vigilar_core.bus.address import choose_broker
from vigilar_core.bus.broker import run_broker
from vigilar_core.bus.client import MqttBus
from vigilar_core.bus.secret import bus_secret
from vigilar_core.clock import SystemClock
from vigilar_core.errors import TransientError
from vigilar_core.events import EventCatalogue, EventKind, Severity
from vigilar_core.ledger import LEDGER_KINDS
from vigilar_core.testing.camera import fake_paths

KINDS = (
    EventKind("motion_start", "vigilar/camera/{camera}/motion/start", Severity.NOTICE, "Motion"),
    *LEDGER_KINDS,
)


def make_bus(folder: Path, name: str, *, spool: bool = True) -> MqttBus:
    """A bus of the installation in a folder."""
    paths = fake_paths(folder)
    return MqttBus(
        choose_broker(None, paths.runtime_dir),
        name,
        bus_secret(paths.secrets_dir),
        EventCatalogue.of(KINDS),
        paths.spool_dir if spool else None,
        SystemClock(),
    )


class LoopContext:
    """The surroundings of a service, without a supervisor."""

    def __init__(self, folder: Path, name: str) -> None:
        self.paths = fake_paths(folder)
        self.clock = SystemClock()
        self.catalogue = EventCatalogue.of(KINDS)
        self.bus = make_bus(folder, name)
        self.bus.start()
        self._poll = select.poll()
        self._poll.register(self.bus.fileno(), select.POLLIN)

    def wait(self, timeout_s: float) -> bool:
        self._poll.poll(timeout_s * 1000)
        self.bus.deliver()
        return True


def make_careless() -> None:
    """Let the ledger do what it must not: acknowledge first and commit a little later."""
    from vigilar_core.ledger import service
    from vigilar_core.ledger.ledger import Ledger

    class CarelessLedger(Ledger):
        def _receive(self, topic: str, envelope: Any) -> None:
            super()._receive(topic, envelope)
            if envelope.kind is not None:
                self._acknowledge(envelope.source, [envelope.id], {})

        def _commit(self) -> None:
            time.sleep(0.2)
            super()._commit()

    vars(service)["Ledger"] = CarelessLedger


def keep_ledger(context: Any) -> None:
    # Imported here: the other roles start sooner without SQLAlchemy.
    from vigilar_core.ledger.service import run_ledger

    run_ledger(context)


def keep_broker(context: Any) -> None:
    while True:
        try:
            run_broker(context)
        except TransientError as error:
            print(error, flush=True)


def main(folder: Path, role: str, *arguments: str) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if role == "publisher":
        publish(folder, *arguments)
        return
    if role == "careless-ledger":
        make_careless()
    context: Any = LoopContext(folder, role.removeprefix("careless-"))
    (keep_broker if role == "broker" else keep_ledger)(context)


def publish(folder: Path, name: str, count: str, pause_s: str) -> None:
    """Publish numbered events, print each id, then wait until all are acknowledged."""
    context = LoopContext(folder, name)
    topic = topics.motion_start(topics.service_level(name))
    for number in range(int(count)):
        print(context.bus.publish_event(topic, n=number), flush=True)
        context.wait(float(pause_s))
    while context.bus.pending:
        context.wait(0.1)
    context.bus.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
