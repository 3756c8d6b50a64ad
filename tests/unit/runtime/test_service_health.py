from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from vigilar_core.context import Service
from vigilar_core.health import Health, HealthState
from vigilar_core.hookspecs import hookimpl
from vigilar_core.plugins.host import PluginHost
from vigilar_core.runtime.kinds import RUNTIME_KINDS
from vigilar_core.runtime.service_health import CHECK_EVERY_S, HealthCheck
from vigilar_core.testing import FakeBus, FakeClock


class Dongle:
    """A plugin whose health is what the test says."""

    answer: Any = Health()
    asked = 0

    @hookimpl
    def health_check(self) -> Health:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[no-any-return]


class Ward:
    """A health check over fakes."""

    def __init__(self) -> None:
        self.dongle = Dongle()
        host = PluginHost()
        host.register("dongle", self.dongle)
        self.clock = FakeClock()
        self.bus = FakeBus(RUNTIME_KINDS, clock=self.clock)
        context: Any = SimpleNamespace(
            clock=self.clock, bus=self.bus, service=Service("camera:hall", "dongle")
        )
        self.reports: list[Any] = []
        self.check = HealthCheck(context, host, ["dongle"], self.reports.append)

    def answers(self, answer: Any) -> None:
        self.dongle.answer = answer
        self.clock.advance(CHECK_EVERY_S)
        self.check.turn()


@pytest.fixture
def ward() -> Ward:
    return Ward()


def test_a_plugin_is_asked_every_ten_seconds(ward: Ward) -> None:
    for _ in range(30):
        ward.check.turn()
        ward.clock.advance(1)
    assert ward.dongle.asked == 3


def test_the_answer_goes_to_the_bus_and_to_the_supervisor(ward: Ward) -> None:
    ward.answers(Health(figures={"packets_per_s": 25.0}))
    (state,) = ward.bus.states
    expected = {"state": "ok", "reason": "", "fix": "", "figures": {"packets_per_s": 25.0}}
    assert (state.topic, state.data) == (
        "vigilar/service/camera.hall/health", {"plugins": {"dongle": expected}},
    )  # fmt: skip
    assert ward.reports == [{"dongle": expected}]


def test_only_a_change_is_an_event(ward: Ward) -> None:
    bad = Health(HealthState.DEGRADED, "weak signal at rtsp://joe:pw@host/", "move it")
    for answer in (Health(), bad, bad, Health(), Health()):
        ward.answers(answer)
    assert ward.bus.kinds() == ["service_unhealthy", "service_healthy"]
    assert ward.bus.events[0].data["reason"] == "weak signal at rtsp://••••@host/"


@pytest.mark.parametrize("answer", [RuntimeError("jammed"), None, "fine"])
def test_a_check_that_fails_or_answers_nonsense_counts_as_failed(ward: Ward, answer: Any) -> None:
    ward.answers(answer)
    assert ward.reports[0]["dongle"]["state"] == "failed"
