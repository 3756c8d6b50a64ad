"""Turns a video file into the units that the demonstration server sends.

The server runs under the system's interpreter, which has no PyAV. It reads a flat file instead: one
line of JSON about the tracks, then for each unit a header and the bytes as a camera would send them
(Annex B for video, raw frames for audio).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.video.stream import VideoStream

#: Track (0 video, 1 audio), key frame, presentation and decoding time in ns, size in bytes.
UNIT_HEADER = struct.Struct(">BBqqI")

_VIDEO_FILTERS = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Unit:
    track: int
    is_key: bool
    pts_ns: int
    dts_ns: int
    data: bytes


def pack_units(source: Path, destination: Path) -> None:
    """Write the units of `source`, a file with one H.264 or H.265 and at most one audio stream.

    Raises ValueError for a file without such a video stream.
    """
    with av.open(str(source)) as container:
        if not container.streams.video:
            raise ValueError(f"{source}: has no video stream")
        video = container.streams.video[0]
        name = video.codec_context.name
        if name not in _VIDEO_FILTERS:
            raise ValueError(f"{source}: codec {name}, the server sends h264 and hevc only")
        audio = container.streams.audio[0] if container.streams.audio else None
        units = sorted(_units(container, video, audio), key=lambda unit: unit.dts_ns)
        head = {
            "video": {"codec": name},
            "duration_ns": _duration_ns(units),
            "audio": None if audio is None else _describe_audio(audio),
        }
    origin_ns = min(unit.dts_ns for unit in units)
    with destination.open("wb") as out:
        out.write(json.dumps(head).encode() + b"\n")
        for unit in units:
            times = unit.pts_ns - origin_ns, unit.dts_ns - origin_ns
            out.write(UNIT_HEADER.pack(unit.track, unit.is_key, *times, len(unit.data)))
            out.write(unit.data)


def _units(
    container: InputContainer, video: VideoStream, audio: AudioStream | None
) -> Iterator[_Unit]:
    to_annex_b = BitStreamFilterContext(_VIDEO_FILTERS[video.codec_context.name], video)
    streams: list[VideoStream | AudioStream] = [video] if audio is None else [video, audio]
    for packet in container.demux(streams):
        if packet.dts is None or packet.pts is None:
            continue
        if packet.stream is audio:
            yield _unit(1, packet)
        else:
            yield from (_unit(0, filtered) for filtered in to_annex_b.filter(packet))


def _unit(track: int, packet: av.Packet[Any]) -> _Unit:
    scale = packet.time_base * _NANOSECONDS
    pts, dts = packet.pts or 0, packet.dts or 0
    return _Unit(track, packet.is_keyframe, round(pts * scale), round(dts * scale), bytes(packet))


def _duration_ns(units: list[_Unit]) -> int:
    times = sorted(unit.dts_ns for unit in units if unit.track == 0)
    step = times[1] - times[0] if len(times) > 1 else 40_000_000
    return times[-1] - times[0] + step


def _describe_audio(stream: AudioStream) -> dict[str, object]:
    context = stream.codec_context
    return {
        "codec": context.name,
        "rate": context.sample_rate,
        "channels": context.channels,
        "extradata": (context.extradata or b"").hex(),
    }
