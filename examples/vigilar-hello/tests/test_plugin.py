"""The plugin by itself: hooks are plain functions, a test calls them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from vigilar_core.alerts import Alert, DeliveryOutcome
from vigilar_core.events import Severity
from vigilar_core.media import Frame, Motion, MotionKind
from vigilar_core.testing import FakeBus, FakeSettings
from vigilar_core.testing.camera import fake_paths
from vigilar_hello.plugin import KINDS, HelloPlugin
from vigilar_hello.settings import HelloSettings


def context(folder: Path, bus: FakeBus, **keys: object) -> SimpleNamespace:
    settings = FakeSettings([HelloSettings.model_validate(keys)])
    return SimpleNamespace(settings=settings, bus=bus, paths=fake_paths(folder))


def started(folder: Path, bus: FakeBus, **keys: object) -> HelloPlugin:
    plugin = HelloPlugin()
    plugin.service_start(context(folder, bus, **keys))
    return plugin


def frame(level: int, sequence: int = 1) -> Frame:
    pixels = np.full((36, 64), level, np.uint8)
    return Frame("hall", sequence, pixels, "gray8", time_us=sequence, monotonic_s=float(sequence))


def alert(title: str) -> Alert:
    return Alert("1", title, "Look.", Severity.WARNING, "e1", time_us=0)


def test_alerts_are_appended_in_order(tmp_path: Path) -> None:
    plugin = started(tmp_path, FakeBus())
    outcomes = [plugin.notify(alert(title)).outcome for title in ("Door", "Window")]
    assert outcomes == [DeliveryOutcome.DELIVERED] * 2
    assert (tmp_path / "data" / "hello.txt").read_text().splitlines() == [
        "1970-01-01T00:00:00+00:00 warning Door: Look.",
        "1970-01-01T00:00:00+00:00 warning Window: Look.",
    ]


def test_an_alert_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    plugin = started(tmp_path, FakeBus(), file=str(tmp_path / "missing" / "alerts.txt"))
    delivery = plugin.notify(alert("Door"))
    assert delivery.outcome is DeliveryOutcome.TRANSIENT
    assert "missing" in delivery.reason


def test_darkness_is_told_once_and_its_end_too(tmp_path: Path) -> None:
    bus = FakeBus(KINDS)
    plugin = started(tmp_path, bus)
    for sequence, level in enumerate((200, 5, 5, 4, 90, 91)):
        plugin.on_frame(frame(level, sequence))
    assert bus.kinds() == ["hello_darkness", "hello_daylight"]
    assert [event.time_us for event in bus.events] == [1, 4]
    assert plugin.health_check().figures["dark_cameras"] == 0


def test_events_are_counted(tmp_path: Path) -> None:
    bus = FakeBus(KINDS)
    plugin = started(tmp_path, bus)
    bus.subscribe_events(plugin.on_event)
    bus.publish_event("vigilar/camera/hall/hello/daylight")
    assert plugin.health_check().figures["seen"] == 1


def test_a_long_file_is_put_aside(tmp_path: Path) -> None:
    plugin = started(tmp_path, FakeBus(), largest_size_bytes=1000)
    path = tmp_path / "data" / "hello.txt"
    for size, kept in ((1000, True), (1001, False)):
        path.write_text("x" * size)
        plugin.poll(context(tmp_path, FakeBus()))
        assert path.exists() is kept
    assert path.with_suffix(".old").stat().st_size == 1001


def test_the_end_is_written_down_with_what_was_seen(tmp_path: Path) -> None:
    plugin = started(tmp_path, FakeBus())
    for edge in ("start", "end"):
        plugin.on_motion(Motion("hall", MotionKind.MOTION, edge, time_us=0, monotonic_s=0.0))
    plugin.service_stop(context(tmp_path, FakeBus()))
    text = (tmp_path / "data" / "hello.txt").read_text()
    assert text == "Goodbye after 2 events and edges of motion.\n"
