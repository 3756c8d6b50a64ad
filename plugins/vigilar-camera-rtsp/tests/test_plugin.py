from __future__ import annotations

from types import SimpleNamespace

import pytest

from vigilar_camera_rtsp.plugin import CameraPlugin
from vigilar_camera_rtsp.settings import CameraSource
from vigilar_core.clock import SystemClock
from vigilar_core.config.core import Camera
from vigilar_core.context import Service
from vigilar_core.events import EventCatalogue
from vigilar_core.health import HealthState
from vigilar_core.plugins.host import PluginHost
from vigilar_core.testing import FakeBus, FakeSettings


def settings(**cameras: str) -> FakeSettings:
    items = {name: [Camera(id=name), CameraSource(rtsp_url=url)] for name, url in cameras.items()}
    return FakeSettings(items={"cameras": items})


class Context:
    """A service context that ends after so many waits."""

    def __init__(self, host, settings: FakeSettings, waits: int) -> None:
        plugin = CameraPlugin()
        self.service = Service("camera:hall")
        self.settings = settings
        self.clock = SystemClock()
        self.bus = FakeBus(plugin.register_event_kinds(), clock=self.clock)
        self.plugin = plugin
        self.healths: list = []
        self._host, self._waits = host, waits

    def camera(self, camera_id: str):
        assert camera_id == "hall"
        return self._host

    def wait(self, timeout_s: float) -> bool:
        self.clock_sleep(timeout_s)
        self.healths.append(self.plugin.health_check())
        self._waits -= 1
        return self._waits > 0

    @staticmethod
    def clock_sleep(timeout_s: float) -> None:
        import threading

        threading.Event().wait(min(timeout_s, 0.2))


def test_the_core_accepts_the_plugin() -> None:
    host = PluginHost()
    host.register("camera-rtsp", CameraPlugin())
    assert {"register_services", "service_run", "register_tables"} <= set(
        host.hooks_of("camera-rtsp")
    )


def test_each_camera_has_a_service_with_room_for_its_time_out() -> None:
    found = CameraPlugin().register_services(settings(hall="demo:", yard="rtsp://cam/x"))
    assert [service.name for service in found] == ["camera:hall", "camera:yard"]
    assert all(service.inline and service.beat_timeout_s >= 9 for service in found)


def test_event_kinds_have_topics_of_their_own() -> None:
    catalogue = EventCatalogue.of(CameraPlugin().register_event_kinds())
    assert catalogue.classify("vigilar/camera/hall/offline").name == "camera_offline"
    assert catalogue.classify("vigilar/camera/hall/detect/lost").name == "camera_detect_lost"


def test_a_service_reads_its_camera_until_it_is_told_to_end(clips, recorder) -> None:
    context = Context(recorder, settings(hall=f"file:{clips['sub']}"), waits=12)
    context.plugin.service_run(context)
    assert len(recorder.packets) > 5
    assert recorder.calls[-1] == "close"
    assert context.healths[-1].state is HealthState.OK
    assert context.plugin.health_check().state is HealthState.OK


def test_health_tells_what_is_wrong_with_the_camera(recorder) -> None:
    context = Context(recorder, settings(hall="file:/nowhere/x.mp4"), waits=6)
    context.plugin.service_run(context)
    worst = context.healths[-1]
    assert worst.state is HealthState.FAILED
    assert "no stream" in worst.reason
    assert worst.fix


@pytest.mark.parametrize("turns", [1, 4])
def test_a_message_that_wakes_the_wait_does_not_touch_the_sockets(
    recorder, monkeypatch, turns: int
) -> None:
    context = Context(recorder, settings(hall="file:/nowhere/x.mp4"), waits=30)
    monkeypatch.setattr(context, "clock_sleep", lambda _s: None)
    context.clock = SimpleNamespace(
        monotonic_s=iter_clock(step_s=0.2 * turns / 120), time_us=SystemClock().time_us
    )
    context.plugin.service_run(context)
    assert recorder.ticks <= turns + 1


def iter_clock(step_s: float):
    now = [1000.001]

    def monotonic_s() -> float:
        now[0] += step_s
        return now[0]

    return monotonic_s
