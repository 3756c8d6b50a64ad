"""A generated clip as the packets of a camera, for tests of inline plugins.

Needs PyAV and numpy.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from vigilar_core.media import Packet, Stream

_ENCODERS = {"h264": "libx264", "hevc": "libx265"}
_AUDIO_SAMPLES = {"aac": 1024, "pcm_alaw": 160}
_AUDIO_RATE_HZ = {"aac": 48_000, "pcm_alaw": 8_000}


@dataclass(frozen=True, slots=True)
class Clip:
    """Packets of one generation, in the order in which a camera sends them.

    :param packets: moments begin at 0 on both clocks; see :meth:`at`
    """

    streams: tuple[Stream, ...]
    packets: tuple[Packet, ...]

    @property
    def video(self) -> list[Packet]:
        """The packets of the video alone."""
        return [packet for packet in self.packets if packet.stream.kind == "video"]

    def at(self, monotonic_s: float, time_us: int) -> Iterator[Packet]:
        """The packets as if the clip began at this moment."""
        for packet in self.packets:
            yield replace(
                packet,
                monotonic_s=packet.monotonic_s + monotonic_s,
                time_us=packet.time_us + time_us,
            )


@lru_cache(maxsize=32)
def make_clip(
    seconds: float = 6.0,
    *,
    codec: str = "h264",
    fps: int = 25,
    key_interval_s: float = 1.0,
    b_frames: int = 0,
    audio: str | None = None,
    annex_b: bool = True,
    width: int = 160,
    height: int = 120,
) -> Clip:
    """Encode moving bars and, if wanted, a tone.

    :param codec: ``h264`` or ``hevc``
    :param audio: ``aac`` or ``pcm_alaw``
    :param annex_b: as RTSP sends it; else length-prefixed, as a file holds it
    """
    container = _encode(seconds, codec, fps, key_interval_s, b_frames, annex_b, width, height)
    packets = list(_demux(container, codec))
    if audio is not None:
        packets += _tone(seconds, audio)
    packets.sort(key=lambda packet: (packet.dts * packet.stream.time_base, packet.stream.index))
    streams = {packet.stream.index: packet.stream for packet in packets}
    return Clip(tuple(streams[index] for index in sorted(streams)), tuple(packets))


def _encode(
    seconds: float,
    codec: str,
    fps: int,
    key_interval_s: float,
    b_frames: int,
    annex_b: bool,
    width: int,
    height: int,
) -> bytes:
    import av
    import numpy as np

    file = io.BytesIO()
    options = {"preset": "ultrafast", "x265-params": f"log-level=none:bframes={b_frames}"}
    with av.open(file, "w", format="mpegts" if annex_b else "mp4") as container:
        stream: Any = container.add_stream(_ENCODERS[codec], rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.gop_size = round(key_interval_s * fps)
        stream.max_b_frames = b_frames
        for number in range(round(seconds * fps)):
            pixels = np.full((height, width, 3), number * 7 % 200, np.uint8)
            left = number * 4 % width
            pixels[:, left : left + 12] = 255
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _demux(data: bytes, codec: str) -> Iterator[Packet]:
    import av

    with av.open(io.BytesIO(data), "r") as container:
        source = container.streams.video[0]
        base = source.time_base or Fraction(1, 90_000)
        extradata = bytes(source.codec_context.extradata or b"")
        stream = Stream(0, "video", codec, base, extradata, source.width, source.height)
        first: int | None = None
        for packet in container.demux(source):
            if packet.pts is None or packet.dts is None or not packet.size:
                continue
            first = packet.pts if first is None else first
            moment_s = float((packet.pts - first) * base)
            yield Packet(
                stream, bytes(packet), packet.pts, packet.dts, packet.duration or 0,
                packet.is_keyframe, round(moment_s * 1e6), moment_s,
            )  # fmt: skip


def _tone(seconds: float, codec: str) -> Iterable[Packet]:
    import av
    import numpy as np

    rate, size = _AUDIO_RATE_HZ[codec], _AUDIO_SAMPLES[codec]
    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.sample_rate, encoder.layout = rate, "mono"
    encoder.format = "fltp" if codec == "aac" else "s16"
    encoder.time_base = Fraction(1, rate)
    encoder.open()
    extradata = bytes(encoder.extradata or b"")
    stream = Stream(
        1, "audio", codec, Fraction(1, rate), extradata, sample_rate_hz=rate, channels=1
    )
    for number in range(round(seconds * rate) // size):
        wave = np.sin(np.arange(number * size, (number + 1) * size) * 2 * np.pi * 440 / rate)
        samples = wave.astype(np.float32) / 3 if codec == "aac" else (wave * 9000).astype(np.int16)
        frame: Any = av.AudioFrame.from_ndarray(
            samples[None], format="fltp" if codec == "aac" else "s16", layout="mono"
        )
        frame.sample_rate, frame.pts = rate, number * size
        for packet in encoder.encode(frame):
            pts = packet.pts or 0
            moment_s = pts / rate
            yield Packet(
                stream, bytes(packet), pts, pts, size, True, round(moment_s * 1e6), moment_s
            )
