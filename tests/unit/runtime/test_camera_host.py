from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vigilar_core.config.core import Camera
from vigilar_core.errors import NotReadyError
from vigilar_core.events import EventKind, Severity
from vigilar_core.frames import FrameReader
from vigilar_core.media import Frame, Motion, MotionKind, Packet, Stream
from vigilar_core.runtime.camera_host import HEARTBEAT_EVERY_S, AttachedCamera, CameraHost
from vigilar_core.runtime.inline import DETACH_AFTER
from vigilar_core.runtime.kinds import RUNTIME_KINDS
from vigilar_core.testing import FakeBus, FakeClock, FakeSettings
from vigilar_core.testing.camera import fake_paths

MOTION_KINDS = [
    EventKind(f"motion_{edge}", f"vigilar/camera/{{camera}}/motion/{edge}", Severity.INFO, "Motion")
    for edge in ("start", "end")
]
STREAM = Stream(0, "video", "h264", Fraction(1, 90_000), width=64, height=48)
PACKET = Packet(STREAM, b"data", 0, 0, 0, True, 0, 0.0)
START = Motion("hall", MotionKind.MOTION, "start", 1_767_225_600_000_000, 1000.0, 0.9, ("door",))


def frame(sequence: int = 1, format: str = "gray8") -> Frame:
    shape = (48, 64) if format == "gray8" else (48, 64, 3)
    return Frame("hall", sequence, np.full(shape, sequence, np.uint8), format, 7, 1.5)  # type: ignore[arg-type]


class Recorder:
    """Writes down every call."""

    def __init__(self, calls: list[str], name: str) -> None:
        self._calls, self._name = calls, name

    def __getattr__(self, method: str) -> Callable[..., None]:
        if not method.startswith("on_"):
            raise AttributeError(method)

        def call(*_values: object) -> None:
            self._calls.append(f"{self._name}.{method}")

        return call


class House:
    """A camera's host over fakes."""

    def __init__(self, folder: Path, *, analysers_elsewhere: bool = False) -> None:
        self.clock = FakeClock()
        self.bus = FakeBus([*RUNTIME_KINDS, *MOTION_KINDS], clock=self.clock)
        self.paths = fake_paths(folder)
        camera = Camera(id="hall", display_name="The hall")
        self.host = CameraHost(
            "hall",
            settings=FakeSettings(items={"cameras": {"hall": [camera]}}),
            bus=self.bus,
            clock=self.clock,
            paths=self.paths,
            key=self._no_key,
            analysers_elsewhere=analysers_elsewhere,
        )
        self.contexts: dict[str, AttachedCamera] = {}

    def _no_key(self) -> bytes:
        raise NotReadyError("there is no storage key")

    def attach(self, **targets: object) -> None:
        def attaching(name: str, target: object) -> Callable[[AttachedCamera], object]:
            def attach(context: AttachedCamera) -> object:
                self.contexts[name] = context
                if isinstance(target, Exception):
                    raise target
                return target

            return attach

        self.host.attach([(name, attaching(name, target)) for name, target in targets.items()])


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


class Failing:
    """Fails in the methods named."""

    def __init__(self, *methods: str) -> None:
        for name in methods:
            setattr(self, name, self._fail)

    def _fail(self, *_values: object) -> None:
        raise RuntimeError("broken")


def test_every_plugin_gets_every_call_in_order(house: House) -> None:
    calls: list[str] = []
    house.attach(first=Recorder(calls, "first"), second=Recorder(calls, "second"))
    house.host.connected([STREAM])
    house.host.packet(PACKET)
    house.host.disconnected("cable cut")
    house.host.tick()
    house.host.close()
    assert calls == [
        f"{name}.{method}"
        for method in ("on_connected", "on_packet", "on_disconnected", "on_tick", "on_close")
        for name in ("first", "second")
    ]


def test_a_plugin_that_stays_away_or_cannot_attach_gets_no_call(house: House) -> None:
    calls: list[str] = []
    house.attach(away=None, broken=ValueError("no zones"), good=Recorder(calls, "good"))
    house.host.packet(PACKET)
    assert calls == ["good.on_packet"]
    assert house.bus.kinds() == ["plugin_detached"]
    assert "no zones" in house.bus.events[0].data["reason"]


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("on_connected", lambda host: host.connected([STREAM])),
        ("on_packet", lambda host: host.packet(PACKET)),
        ("on_frame", lambda host: host.frame(frame())),
        ("on_disconnected", lambda host: host.disconnected("gone")),
        ("on_tick", lambda host: host.tick()),
        ("on_close", lambda host: host.close()),
    ],
)
def test_a_method_that_fails_costs_the_other_plugins_nothing(
    house: House, method: str, call: Callable[[CameraHost], None]
) -> None:
    calls: list[str] = []
    house.attach(bad=Failing(method), good=Recorder(calls, "good"))
    call(house.host)
    assert calls == [f"good.{method}"]


def test_a_hundred_failures_in_a_row_detach_the_plugin_and_are_an_event(house: House) -> None:
    calls: list[str] = []
    bad = Failing("on_packet")
    bad.on_tick = Recorder(calls, "bad").on_tick  # type: ignore[attr-defined]
    bad.on_close = Recorder(calls, "bad").on_close  # type: ignore[attr-defined]
    house.attach(bad=bad, good=Recorder([], "good"))
    house.contexts["bad"].ask_low_latency(True)
    for _ in range(DETACH_AFTER - 1):
        house.host.packet(PACKET)
    assert house.bus.kinds() == []
    house.host.packet(PACKET)
    assert house.bus.kinds() == ["plugin_detached"]
    assert "on_packet failed 100 times in a row" in house.bus.events[0].data["reason"]
    house.host.tick()
    assert calls == ["bad.on_close"]
    assert not house.host.low_latency


def test_a_success_in_between_forgives_earlier_failures(house: House) -> None:
    class Moody:
        count = 0

        def on_packet(self, _packet: Packet) -> None:
            self.count += 1
            if self.count % DETACH_AFTER:
                raise RuntimeError("not in the mood")

    house.attach(moody=Moody())
    for _ in range(5 * DETACH_AFTER):
        house.host.packet(PACKET)
    assert house.bus.kinds() == []


def test_a_failing_method_is_logged_once_a_minute(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.attach(bad=Failing("on_packet"))
    for _ in range(50):
        house.host.packet(PACKET)
    assert len(caplog.records) == 1
    house.clock.advance(61)
    house.host.packet(PACKET)
    assert len(caplog.records) == 2
    assert "51 times" in caplog.text


class Analyser:
    """Sees the same edges in every picture."""

    def __init__(self, *edges: Motion) -> None:
        self._edges = edges

    def on_frame(self, _frame: Frame) -> Sequence[Motion]:
        return self._edges


def test_an_edge_reaches_inline_plugins_before_the_bus(house: House) -> None:
    order: list[str] = []
    house.bus.subscribe("vigilar/#", lambda message: order.append(message.topic))
    house.attach(motion=Analyser(START), recorder=Recorder(order, "recorder"))
    house.host.frame(frame())
    assert order == [
        "recorder.on_motion", "vigilar/camera/hall/motion/start", "recorder.on_frame",
    ]  # fmt: skip
    (event,) = house.bus.events
    assert event.time_us == START.time_us
    assert (event.data["confidence"], event.data["zones"]) == (0.9, ["door"])


def test_an_edge_of_a_kind_nobody_declared_is_the_analysers_failure(house: House) -> None:
    covered = Motion("hall", MotionKind.CAMERA_COVERED, "start", 0, 0.0)
    calls: list[str] = []
    house.attach(motion=Analyser(covered), viewer=Recorder(calls, "viewer"))
    house.host.frame(frame())
    assert calls == ["viewer.on_motion", "viewer.on_frame"]


def test_wishes_of_all_plugins_are_joined(house: House) -> None:
    house.attach(one=Recorder([], "one"), two=Recorder([], "two"))
    assert (house.host.analysis_fps, house.host.low_latency, house.host.colour) == (
        None, False, False,
    )  # fmt: skip
    one, two = house.contexts["one"], house.contexts["two"]
    one.ask_analysis_fps(5.0)
    two.ask_analysis_fps(15.0)
    one.ask_low_latency(True)
    two.ask_colour(True)
    assert (house.host.analysis_fps, house.host.low_latency, house.host.colour) == (
        15.0, True, True,
    )  # fmt: skip
    two.ask_analysis_fps(None)
    one.ask_low_latency(False)
    assert (house.host.analysis_fps, house.host.low_latency) == (5.0, False)


def test_luma_pictures_are_shared_only_when_an_analyser_elsewhere_reads_them(
    tmp_path: Path,
) -> None:
    for wanted in (False, True):
        house = House(tmp_path / str(wanted), analysers_elsewhere=wanted)
        house.attach()
        house.host.frame(frame(3))
        found = FrameReader(house.paths.frames_dir, "hall", "gray8").latest()
        assert (found is not None) == wanted
        if found is not None:
            assert (found.sequence, int(found.pixels[0, 0])) == (3, 3)


def test_colour_pictures_are_shared_only_while_somebody_asks(house: House) -> None:
    house.attach(live=Recorder([], "live"))
    reader = FrameReader(house.paths.frames_dir, "hall", "bgr24")
    house.host.colour_frame(frame(1, "bgr24"))
    assert reader.latest() is None
    house.contexts["live"].ask_colour(True)
    house.host.colour_frame(frame(2, "bgr24"))
    found = reader.latest()
    assert found is not None and found.pixels.shape == (48, 64, 3)
    house.contexts["live"].ask_colour(False)
    assert not list(house.paths.frames_dir.iterdir())


def test_closing_removes_the_rings(tmp_path: Path) -> None:
    house = House(tmp_path, analysers_elsewhere=True)
    house.host.frame(frame())
    house.host.close()
    assert not list(house.paths.frames_dir.iterdir())


def test_a_heartbeat_is_published_every_ten_seconds(house: House) -> None:
    house.attach()
    house.host.connected([STREAM])
    for _ in range(int(HEARTBEAT_EVERY_S) * 3 * 5):
        house.host.packet(PACKET)
        house.host.tick()
        house.clock.advance(0.2)
    states = [each for each in house.bus.states if each.topic == "vigilar/camera/hall/heartbeat"]
    assert len(states) == 3
    assert states[0].data["online"] is True
    assert states[1].data["packets"] == 51


def test_a_plugin_sees_the_camera_as_it_is(house: House) -> None:
    house.attach(one=Recorder([], "one"))
    camera = house.contexts["one"]
    assert (camera.id, camera.display_name, camera.streams) == ("hall", "The hall", ())
    house.host.connected([STREAM])
    assert camera.streams == (STREAM,)
    assert camera.settings(Camera).id == "hall"
    with pytest.raises(NotReadyError):
        camera.storage_key()
