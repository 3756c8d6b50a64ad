"""Seeking in an encrypted recording of one hour."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from benchmarks.figures import Figure
from benchmarks.footage import make
from vigilar_core.fragments import Fragmenter, InitSegment, MediaFragment
from vigilar_core.media import Packet, Stream
from vigilar_core.recording_file import (
    Mp4RecordingWriter,
    PlayableView,
    RecordingMetadata,
    RecordingWriter,
    open_recording,
)

_HOUR_S = 3600
_SEEKS = 200
_KEY = bytes(range(32))


class _Sink:
    def __init__(self, writer: Mp4RecordingWriter) -> None:
        self._writer = writer

    def init_segment(self, segment: InitSegment) -> None:
        self._writer.write(segment.data)

    def fragment(self, fragment: MediaFragment) -> None:
        self._writer.write(fragment.data)


def measure(folder: Path) -> Iterator[Figure]:
    path = folder / "hour.vge"
    source = make(folder, "scene", moving=False).main
    _record(source, path)
    size = path.stat().st_size / 1e6
    chance = random.Random(7)
    open_ms, first_ms = [], []
    for _ in range(_SEEKS):
        started = time.perf_counter()
        view = PlayableView(open_recording(path, _KEY))
        open_ms.append((time.perf_counter() - started) * 1000)
        view.read_at(chance.randrange(view.size_bytes - 65536), 65536)
        first_ms.append((time.perf_counter() - started) * 1000)
        view.close()
    first_ms.sort()
    detail = f"{size:.0f} MB, {_SEEKS} random places, file opened anew each time, 64 KiB read"
    yield Figure("first bytes, median", statistics.median(first_ms), "ms", 100, detail=detail)
    yield Figure("first bytes, 99th percentile", first_ms[int(_SEEKS * 0.99)], "ms", 100)
    yield Figure("of which opening", statistics.median(open_ms), "ms")


def _record(source: Path, target: Path) -> None:
    """An hour of recording, made of a short clip again and again."""
    with target.open("xb", buffering=0) as file:
        metadata = RecordingMetadata("0" * 32, "bench", 0, "h264")
        writer = Mp4RecordingWriter(RecordingWriter(file, _KEY, metadata))
        fragmenter: Fragmenter | None = None
        for packet in _packets(source):
            if fragmenter is None:
                fragmenter = Fragmenter([packet.stream], _Sink(writer), 0.5)
            fragmenter.packet(packet)
        assert fragmenter is not None
        fragmenter.flush()
        writer.seal()


def _packets(source: Path) -> Iterator[Packet]:
    base, offset = Fraction(0), 0
    while base < _HOUR_S:
        with av.open(str(source)) as container:
            video = container.streams.video[0]
            unit = video.time_base or Fraction(1, 12800)
            stream = Stream(
                0, "video", "h264", unit, video.codec_context.extradata or b"",
                video.width, video.height,
            )  # fmt: skip
            last = offset
            for packet in container.demux(video):
                if packet.dts is None or packet.pts is None:
                    continue
                last = offset + packet.dts + (packet.duration or 0)
                seconds = float((offset + packet.pts) * unit)
                yield Packet(
                    stream, bytes(packet), offset + packet.pts, offset + packet.dts,
                    packet.duration or 0, packet.is_keyframe, round(seconds * 1e6), seconds,
                )  # fmt: skip
        offset = last
        base = offset * unit
