"""The testing kit for authors of plugins: fakes to hand in and a way to wait."""

from __future__ import annotations

from vigilar_core.testing.bus import FakeBus
from vigilar_core.testing.camera import FakeCamera
from vigilar_core.testing.clock import FakeClock
from vigilar_core.testing.installation import Installation
from vigilar_core.testing.settings import FakeSettings
from vigilar_core.testing.waiting import eventually

__all__ = ["FakeBus", "FakeCamera", "FakeClock", "FakeSettings", "Installation", "eventually"]
