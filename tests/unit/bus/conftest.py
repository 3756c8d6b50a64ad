"""Brokers and services for tests of the bus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from vigilar_core.bus import address as address_module
from vigilar_core.bus.address import BrokerAddress, choose_broker
from vigilar_core.bus.broker import _running
from vigilar_core.bus.client import MqttBus
from vigilar_core.clock import SystemClock
from vigilar_core.events import EventCatalogue, EventKind, Severity

KEY = bytes(range(32))
KINDS = (
    EventKind("motion_start", "vigilar/camera/{camera}/motion/start", Severity.NOTICE, "Motion"),
    EventKind("power_loss", "vigilar/ups/power_loss", Severity.CRITICAL, "Power loss"),
)


@dataclass
class Services:
    """Buses of one installation, delivered by hand or by a thread."""

    address: BrokerAddress
    folder: Path
    made: list[MqttBus] = field(default_factory=list)

    def make(self, name: str, *, key: bytes = KEY, start: bool = True) -> MqttBus:
        bus = MqttBus(
            self.address, name, key, EventCatalogue.of(KINDS), self.folder / "spool", SystemClock()
        )
        self.made.append(bus)
        if start:
            bus.start()
        return bus

    def deliver(self) -> bool:
        """One round of every bus; true so that it can stand in a condition."""
        for bus in self.made:
            bus.deliver()
        return True


@pytest.fixture
def broker(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BrokerAddress]:
    """A running private broker: mosquitto, or what a test asks for by ``BOTH``."""
    if getattr(request, "param", "mosquitto") == "amqtt":
        monkeypatch.setattr(address_module, "find_mosquitto", lambda: None)
    elif address_module.find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    address = choose_broker(None, tmp_path / "run")
    with _running(address, tmp_path / "run"):
        yield address


@pytest.fixture
def services(broker: BrokerAddress, tmp_path: Path) -> Iterator[Services]:
    """Services at the broker; closed with the test."""
    found = Services(broker, tmp_path)
    yield found
    for bus in found.made:
        bus.close()
