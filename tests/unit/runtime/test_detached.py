from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vigilar_core.config.core import Camera
from vigilar_core.events import Event, EventKind, Severity
from vigilar_core.frames import FrameWriter
from vigilar_core.hookspecs import hookimpl
from vigilar_core.media import Frame, Motion, MotionKind
from vigilar_core.plugins.host import PluginHost
from vigilar_core.runtime.detached import EventFeed, FrameFeed
from vigilar_core.testing import FakeBus, FakeClock, FakeSettings
from vigilar_core.testing.camera import fake_paths

KINDS = [
    EventKind("motion_start", "vigilar/camera/{camera}/motion/start", Severity.INFO, "Motion"),
    EventKind("door_open", "vigilar/sensor/{sensor}/open", Severity.INFO, "Open"),
]


class Pets:
    """A plugin that notes what it is given."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.motions: list[Motion] = []
        self.frames: list[Frame] = []
        self.fails = False

    @hookimpl
    def on_event(self, event: Event) -> None:
        self.events.append(event)
        if self.fails:
            raise RuntimeError("bitten")

    @hookimpl
    def on_motion(self, motion: Motion) -> None:
        self.motions.append(motion)

    @hookimpl
    def on_frame(self, frame: Frame) -> list[Motion]:
        self.frames.append(frame)
        if self.fails:
            raise RuntimeError("bitten")
        return [Motion(frame.camera, MotionKind.MOTION, "start", frame.time_us, 0.0)]


@pytest.fixture
def pets() -> Pets:
    return Pets()


def host_of(plugin: object) -> PluginHost:
    host = PluginHost()
    host.register("pets", plugin)
    return host


def follow(bus: FakeBus) -> Callable[[Callable[[Event], None]], None]:
    return lambda handler: bus.subscribe_events(handler)


def test_each_committed_event_is_given_and_motion_also_as_motion(pets: Pets) -> None:
    bus = FakeBus(KINDS)
    EventFeed("pets", host_of(pets), FakeClock(), follow(bus))
    bus.publish_event("vigilar/sensor/door/open")
    bus.publish_event("vigilar/camera/hall/motion/start", confidence=0.5)
    assert [event.kind for event in pets.events] == ["door_open", "motion_start"]
    assert [(motion.camera, motion.confidence) for motion in pets.motions] == [("hall", 0.5)]


def test_an_event_that_cannot_be_handled_does_not_hold_up_the_next(pets: Pets) -> None:
    bus = FakeBus(KINDS)
    EventFeed("pets", host_of(pets), FakeClock(), follow(bus))
    pets.fails = True
    bus.publish_event("vigilar/sensor/door/open")
    bus.publish_event("vigilar/camera/hall/motion/start")
    assert len(pets.events) == 2
    assert len(pets.motions) == 1


class Kennel:
    """A frame feed over real rings of two cameras."""

    def __init__(self, folder: Path, pets: Pets) -> None:
        self.paths = fake_paths(folder)
        self.bus = FakeBus(KINDS)
        cameras = {name: [Camera(id=name)] for name in ("hall", "yard")}
        context: Any = SimpleNamespace(
            settings=FakeSettings(items={"cameras": cameras}), paths=self.paths, bus=self.bus
        )
        self.feed = FrameFeed("pets", host_of(pets), context)

    def writer(self, camera: str) -> FrameWriter:
        return FrameWriter(self.paths.frames_dir, camera, "gray8")


def picture(camera: str, sequence: int) -> Frame:
    return Frame(camera, sequence, np.zeros((4, 4), np.uint8), "gray8", sequence, 0.0)


def test_the_newest_picture_of_each_camera_is_given_once(tmp_path: Path, pets: Pets) -> None:
    kennel = Kennel(tmp_path, pets)
    kennel.feed.turn()
    hall, yard = kennel.writer("hall"), kennel.writer("yard")
    hall.write(picture("hall", 0))
    kennel.feed.turn()
    for sequence in (1, 2, 3):
        hall.write(picture("hall", sequence))
    yard.write(picture("yard", 7))
    kennel.feed.turn()
    kennel.feed.turn()
    assert [(frame.camera, frame.sequence) for frame in pets.frames] == [
        ("hall", 0), ("hall", 3), ("yard", 7),
    ]  # fmt: skip
    assert kennel.feed.skipped == {"hall": 2, "yard": 0}


def test_edges_found_elsewhere_are_published_like_those_found_inline(
    tmp_path: Path, pets: Pets
) -> None:
    kennel = Kennel(tmp_path, pets)
    kennel.writer("hall").write(picture("hall", 5))
    kennel.feed.turn()
    (event,) = kennel.bus.events
    assert (event.topic, event.time_us) == ("vigilar/camera/hall/motion/start", 5)


def test_an_analyser_that_fails_gets_the_next_picture_and_is_logged_ever_less_often(
    tmp_path: Path, pets: Pets, caplog: pytest.LogCaptureFixture
) -> None:
    kennel = Kennel(tmp_path, pets)
    pets.fails = True
    writer = kennel.writer("hall")
    for sequence in range(1, 101):
        writer.write(picture("hall", sequence))
        kennel.feed.turn()
    assert len(pets.frames) == 100
    assert len(caplog.records) == 7  # at 1, 2, 4, 8, 16, 32, 64


def test_a_camera_that_comes_back_with_another_size_is_followed(tmp_path: Path, pets: Pets) -> None:
    kennel = Kennel(tmp_path, pets)
    writer = kennel.writer("hall")
    writer.write(picture("hall", 1))
    kennel.feed.turn()
    writer.close()
    large = Frame("hall", 2, np.zeros((400, 400), np.uint8), "gray8", 2, 0.0)
    kennel.writer("hall").write(large)
    kennel.feed.turn()
    assert [frame.pixels.shape for frame in pets.frames] == [(4, 4), (400, 400)]
    kennel.feed.close()
