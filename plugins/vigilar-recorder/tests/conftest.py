from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import HealthCheck, settings

from vigilar_core.config import SettingsModel
from vigilar_core.media import Motion, MotionKind
from vigilar_core.recording_file import RecordingReader
from vigilar_core.testing import FakeBus, FakeCamera, FakeClock, eventually
from vigilar_core.testing.clip import Clip
from vigilar_recorder.camera_recorder import CameraRecorder
from vigilar_recorder.event_kinds import EVENT_KINDS

# A busy machine is slow, which says nothing about what is tested.
settings.register_profile("recorder", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("recorder")

KEY = bytes(range(32))


class Bench:
    """A recorder attached to a fake camera, its clock turned by the packets it is fed."""

    def __init__(
        self, folder: Path, *models: SettingsModel, key: bytes | None = KEY, id: str = "hall"
    ) -> None:
        self.id = id
        self.clock = FakeClock()
        self.bus = FakeBus(EVENT_KINDS, clock=self.clock)
        self.camera = FakeCamera(
            folder, id=id, models=models, bus=self.bus, clock=self.clock, key=key
        )
        self.recorder = CameraRecorder(self.camera)
        self.root = self.camera.paths.recordings_dir

    def connect(self, clip: Clip) -> None:
        self.camera.streams = clip.streams
        self.recorder.on_connected(clip.streams)

    def feed(self, clip: Clip, *, at: dict[float, Callable[[], None]] | None = None) -> None:
        """Send a clip as a camera does; run something at some of its seconds."""
        due = sorted((at or {}).items())
        start_s, start_us = self.clock.monotonic_s(), self.clock.time_us()
        ticked_s = start_s
        for packet in clip.at(start_s, start_us):
            while due and packet.monotonic_s - start_s >= due[0][0]:
                self._turn_to(start_s + due[0][0])
                due.pop(0)[1]()
            self._turn_to(packet.monotonic_s)
            self.recorder.on_packet(packet)
            if self.clock.monotonic_s() - ticked_s >= 0.2:
                ticked_s = self.clock.monotonic_s()
                self.recorder.on_tick()
        for _, action in due:
            action()

    def _turn_to(self, moment_s: float) -> None:
        if moment_s > self.clock.monotonic_s():
            self.clock.advance(moment_s - self.clock.monotonic_s())

    def motion(self, edge: str, *, kind: MotionKind = MotionKind.MOTION, **fields: Any) -> None:
        now_s, now_us = self.clock.monotonic_s(), self.clock.time_us()
        self.recorder.on_motion(Motion(self.id, kind, edge, now_us, now_s, **fields))  # type: ignore[arg-type]

    def wait(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """The data of the events of a kind, once there are so many of them."""

        def enough() -> bool:
            self.recorder.on_tick()
            return len(self.events(kind)) >= count

        eventually(enough, what=f"{count} × {kind}, have {self.bus.kinds()}")
        return self.events(kind)

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [dict(event.data) for event in self.bus.events if event.kind == f"recording_{kind}"]

    def mp4(self, event: dict[str, Any], *, sealed: bool = True) -> bytes:
        """The decrypted recording."""
        path = self.root / event["path"]
        if path.suffix == ".mp4":
            return path.read_bytes()
        with (
            path.open("rb") as file,
            RecordingReader(file, KEY, allow_unsealed=not sealed) as plain,
        ):
            return plain.read()

    def pictures(self, event: dict[str, Any]) -> list[float]:
        """When each decoded picture was taken, in seconds from the start of the recording."""
        return decoded(self.mp4(event))

    def close(self) -> None:
        self.recorder.on_close()


def decoded(mp4: bytes) -> list[float]:
    with av.open(io.BytesIO(mp4)) as container:
        times = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    return [round(each - times[0], 3) for each in times]


@pytest.fixture(scope="module")
def shared_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Bench]]:
    """As ``bench``, for tests that only look."""
    yield from _benches(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    yield from _benches(tmp_path)


def _benches(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes recorders over one folder, closed at the end."""
    made: list[Bench] = []

    def make(*models: SettingsModel, **options: Any) -> Bench:
        made.append(Bench(tmp_path, *models, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def decode() -> Callable[[bytes], list[float]]:
    """When each picture of an MP4 is shown, from its first on, in seconds."""
    return decoded
