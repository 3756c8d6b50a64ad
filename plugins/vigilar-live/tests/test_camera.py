from __future__ import annotations

import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from vigilar_core.media import Packet, Stream
from vigilar_core.testing import FakeBus, FakeCamera, FakeClock
from vigilar_live.camera import LiveCamera
from vigilar_live.fragment_ring import FragmentReader
from vigilar_live.hls import PLAYLIST
from vigilar_live.options import LiveOptions
from vigilar_live.watching import WATCH_TTL_S, Mode, watch_topic

_ENCODE = (
    "ffmpeg -v error -f lavfi -i testsrc=s=320x180:d=6:r=25 "
    "-c:v libx264 -g 25 -bf 0 -pix_fmt yuv420p"
)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of H.264 with a key frame each second."""
    target = tmp_path_factory.mktemp("clip") / "clip.mp4"
    subprocess.run(
        [*_ENCODE.split(), str(target)],
        check=True,
    )
    return target


def packets(clip: Path) -> tuple[Stream, Iterator[Packet]]:
    container = av.open(str(clip))
    video = container.streams.video[0]
    time_base = video.time_base or Fraction(1, 90000)
    stream = Stream(
        index=0,
        kind="video",
        codec="h264",
        time_base=time_base,
        extradata=video.codec_context.extradata or b"",
        width=video.width,
        height=video.height,
    )

    def each() -> Iterator[Packet]:
        for packet in container.demux(video):
            if packet.dts is not None and packet.pts is not None:
                seconds = float(packet.pts * time_base)
                yield Packet(
                    stream, bytes(packet), packet.pts, packet.dts, packet.duration or 0,
                    packet.is_keyframe, 1_000_000 + round(seconds * 1e6), 1000 + seconds,
                )  # fmt: skip

    return stream, each()


class Watched:
    """A live camera with somebody in front of it."""

    def __init__(self, folder: Path, clip: Path, **options: object) -> None:
        self.clock = FakeClock()
        self.bus = FakeBus(clock=self.clock)
        models = [LiveOptions.model_validate(options)]
        self.camera = FakeCamera(folder, bus=self.bus, clock=self.clock, models=models)
        self.live = LiveCamera(self.camera)
        self.stream, self.packets = packets(clip)
        self.live.on_connected([self.stream])

    def watch(self, mode: Mode) -> None:
        self.bus.publish_state(watch_topic(self.camera.id), {"mode": mode.value})

    def feed(self, count: int) -> list[Packet]:
        fed = [packet for _, packet in zip(range(count), self.packets, strict=False)]
        for packet in fed:
            self.live.on_packet(packet)
        return fed


def playable(data: bytes, folder: Path) -> int:
    """Number of pictures that a decoder finds."""
    path = folder / "stream.mp4"
    path.write_bytes(data)
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_nothing_is_written_while_nobody_watches(tmp_path: Path, clip: Path) -> None:
    watched = Watched(tmp_path, clip)
    watched.feed(60)
    watched.live.on_tick()
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written == []
    watched.watch(Mode.FRAGMENTS)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] != []


def test_a_viewer_begins_with_the_last_key_frame_that_already_passed(
    tmp_path: Path, clip: Path
) -> None:
    watched = Watched(tmp_path, clip)
    watched.feed(40)
    watched.watch(Mode.FRAGMENTS)
    reader = FragmentReader(watched.camera.paths.frames_dir, "hall")
    init = reader.init()
    assert init is not None
    fragments = list(reader.following())
    assert fragments[0].starts_with_key
    seen = playable(init[2] + b"".join(fragment.data for fragment in fragments), tmp_path)
    assert 10 <= seen <= 15


def test_fragments_hold_every_picture_once(tmp_path: Path, clip: Path) -> None:
    watched = Watched(tmp_path, clip)
    watched.watch(Mode.FRAGMENTS)
    reader = FragmentReader(watched.camera.paths.frames_dir, "hall")
    data = b""
    for _ in range(10):
        watched.feed(10)
        init = reader.init()
        data += b"".join(fragment.data for fragment in reader.following())
    assert init is not None
    assert 96 <= playable(init[2] + data, tmp_path) <= 100


def test_hls_segments_play_and_go_away_with_the_last_viewer(tmp_path: Path, clip: Path) -> None:
    watched = Watched(tmp_path, clip, segment_s=1.0)
    watched.watch(Mode.HLS)
    watched.feed(150)
    folder = watched.camera.paths.hls_dir / "hall"
    assert "#EXTINF:1.000," in (folder / PLAYLIST).read_text()
    data = b"".join((folder / f"segment-{n}.m4s").read_bytes() for n in (1, 2, 3))
    assert playable((folder / "init-1.mp4").read_bytes() + data, tmp_path) == 75
    watched.clock.advance(WATCH_TTL_S)
    watched.live.on_tick()
    assert not folder.exists()


def test_low_latency_and_colour_are_asked_for_by_those_who_need_them(
    tmp_path: Path, clip: Path
) -> None:
    watched = Watched(tmp_path, clip)
    watched.watch(Mode.FRAGMENTS)
    assert (watched.camera.low_latency, watched.camera.colour) == (True, False)
    watched.watch(Mode.PICTURES)
    assert (watched.camera.low_latency, watched.camera.colour) == (True, True)
    watched.clock.advance(WATCH_TTL_S)
    watched.live.on_tick()
    assert (watched.camera.low_latency, watched.camera.colour) == (False, False)


def test_changed_parameters_reach_viewers_as_a_new_generation(tmp_path: Path, clip: Path) -> None:
    watched = Watched(tmp_path, clip)
    watched.watch(Mode.FRAGMENTS)
    watched.feed(30)
    reader = FragmentReader(watched.camera.paths.frames_dir, "hall")
    before = reader.init()
    watched.live.on_disconnected("restarted")
    watched.live.on_connected([watched.stream])
    watched.feed(60)
    after = reader.init()
    assert before is not None
    assert after is not None
    assert after[0] > before[0]


def test_a_word_that_is_no_mode_changes_nothing(tmp_path: Path, clip: Path) -> None:
    watched = Watched(tmp_path, clip)
    watched.bus.publish_state(watch_topic("hall"), {"mode": ["hls"]})
    watched.bus.publish_state(watch_topic("hall"), {})
    assert watched.camera.low_latency is False
