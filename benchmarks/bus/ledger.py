"""What bus and ledger carry from publishing to acknowledgement, and how soon at an ordinary rate.

Prints JSON. A private broker, a ledger that commits with ``synchronous=FULL``, and one publisher,
each a process of its own, as in an installation. ``sustained_per_s`` counts events from the first
publication to the last acknowledgement; latencies are from ``publish_event`` to the moment the
publisher has the acknowledgement, at an even rate.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import statistics
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import structlog

from vigilar_core.bus.address import choose_broker
from vigilar_core.bus.broker import run_broker
from vigilar_core.bus.client import MqttBus
from vigilar_core.bus.secret import bus_secret
from vigilar_core.clock import SystemClock
from vigilar_core.events import EventCatalogue, EventKind, Severity
from vigilar_core.ledger.kinds import LEDGER_KINDS
from vigilar_core.ledger.service import run_ledger
from vigilar_core.testing.camera import fake_paths

KIND = EventKind("motion_start", "vigilar/camera/{camera}/motion/start", Severity.NOTICE, "Motion")
TOPIC = "vigilar/camera/hall/motion/start"
FIELDS: dict[str, Any] = {
    "confidence": 0.83,
    "zones": ["path", "door"],
    "boxes": [[0.1, 0.2, 0.3, 0.4]],
}


class Loop:
    """The surroundings of a service, without a supervisor."""

    def __init__(self, folder: Path, name: str) -> None:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        self.paths = fake_paths(folder)
        self.clock = SystemClock()
        self.catalogue = EventCatalogue.of((KIND, *LEDGER_KINDS))
        self.bus = MqttBus(
            choose_broker(None, self.paths.runtime_dir),
            name,
            bus_secret(self.paths.secrets_dir),
            self.catalogue,
            self.paths.spool_dir,
            self.clock,
        )
        self.bus.start()
        self._poll = select.poll()
        self._poll.register(self.bus.fileno(), select.POLLIN)
        self._parent = os.getppid()

    def wait(self, timeout_s: float) -> bool:
        self._poll.poll(timeout_s * 1000)
        self.bus.deliver()
        return os.getppid() == self._parent


def serve(folder: Path, role: str) -> None:
    """A process of the installation."""
    context: Any = Loop(folder, role)
    (run_broker if role == "broker" else run_ledger)(context)


def acknowledged(loop: Loop, within_s: float) -> None:
    """Wait until nothing is owed."""
    deadline_s = time.monotonic() + within_s
    while loop.bus.pending:
        loop.wait(0.05)
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{loop.bus.pending} events not acknowledged in {within_s} s")


def sustained(loop: Loop, count: int) -> float:
    """Events a second when as many are published as go through."""
    started = time.perf_counter()
    for number in range(count):
        loop.bus.publish_event(TOPIC, number=number, **FIELDS)
        if loop.bus.pending > 1000:
            loop.wait(0.05)
    acknowledged(loop, 300)
    return count / (time.perf_counter() - started)


def latencies_ms(loop: Loop, rate_per_s: float, count: int) -> list[float]:
    """From publication to acknowledgement, one event at a time, evenly spread."""
    taken: list[float] = []
    published: dict[int, float] = {}
    due = time.perf_counter()
    number = 0
    while len(taken) < count:
        now = time.perf_counter()
        if number < count and now >= due:
            loop.bus.publish_event(TOPIC, number=number, **FIELDS)
            published[number] = now
            number += 1
            due += 1 / rate_per_s
        loop.wait(max(0.0, min(due - time.perf_counter(), 0.05)) if number < count else 0.05)
        done = number - loop.bus.pending
        while len(taken) < done:  # acknowledged in the order of publication
            taken.append((time.perf_counter() - published.pop(len(taken))) * 1e3)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=100.0, help="events a second")
    parser.add_argument("--paced", type=int, default=1000, help="events at that rate")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spawn = get_context("spawn")
        helpers = [
            spawn.Process(target=serve, args=(folder, role), daemon=True)
            for role in ("broker", "ledger")
        ]
        for helper in helpers:
            helper.start()
        loop = Loop(folder, "camera:hall")
        loop.bus.publish_event(TOPIC)
        acknowledged(loop, 60)
        per_s = sustained(loop, options.events)
        taken = sorted(latencies_ms(loop, options.rate, options.paced))
        loop.bus.close()
        for helper in reversed(helpers):
            helper.terminate()
            helper.join()
    print(
        json.dumps(
            {
                "events": options.events,
                "sustained_per_s": round(per_s),
                "rate_per_s": options.rate,
                "median_ms": round(statistics.median(taken), 2),
                "p99_ms": round(taken[int(len(taken) * 0.99) - 1], 2),
                "worst_ms": round(taken[-1], 2),
                "load_average": round(os.getloadavg()[0], 1),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
