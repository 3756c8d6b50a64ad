"""Chooses which packets are decoded for analysis, and decodes no more than these need.

A picture between two key frames can only be had by decoding all from the key frame on. So nothing
is decoded until a picture is due; then the group is decoded up to it. What follows the last picture
wanted from a group is never decoded at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
import av.error
from av.video.codeccontext import VideoCodecContext

from vigilar_camera_rtsp.pace import Pace
from vigilar_camera_rtsp.picture import create_decoder
from vigilar_core.media import Packet, Stream

#: A group larger than this is not kept; its pictures are had again from the next key frame on.
_LARGEST_GROUP_BYTES = 12 << 20
_LARGEST_GROUP_PACKETS = 600
#: A stream with more pixels is looked at by its key frames alone while idle.
CHEAP_PIXELS = 1024 * 600
#: A key frame that comes this part of an interval early stands for the picture that is due.
_EARLY = 0.8
#: A packet so many times the largest of late hints at movement.
_SUDDEN = 1.8
#: What is left of the largest size after each packet: a third after four seconds.
_FADING = 0.99
_WARM_UP = 100
#: Decoding half a group of a large stream takes a tenth of a second; this bounds it to 1 %.
_SUDDEN_PAUSE_S = 10.0


@dataclass(frozen=True, slots=True)
class Sample:
    """A decoded picture and when it was shown."""

    picture: av.VideoFrame
    time_us: int
    monotonic_s: float
    is_key: bool


@dataclass
class SuddenSize:
    """Notices a packet that is much larger than any of the last few seconds.

    It can only bring a look forward. At a constant bit rate sizes tell nothing, so their absence
    never means that nothing moves.
    """

    _largest: float = 0.0
    _seen: int = 0
    _last_s: float = float("-inf")

    def notice(self, packet: Packet) -> bool:
        """Whether `packet`, not a key frame, stands out."""
        if packet.is_key:
            return False
        size, known = float(len(packet.data)), self._largest
        self._seen += 1
        self._largest = max(size, known * _FADING)
        if self._seen <= _WARM_UP or size <= _SUDDEN * known:
            return False
        rested = packet.monotonic_s - self._last_s >= _SUDDEN_PAUSE_S
        self._last_s = packet.monotonic_s if rested else self._last_s
        return rested


class Sampler:
    """Pictures of one stream at the rate that is asked for."""

    def __init__(self) -> None:
        self._decoder: VideoCodecContext | None = None
        self._stream: Stream | None = None
        self._group: list[Packet] = []
        self._group_bytes = 0
        self._decoded = 0
        self._pace = Pace()
        self._sudden = SuddenSize()
        #: Packets that were decoded, and those that could not be.
        self.decoded_count = 0
        self.damaged_count = 0

    @property
    def held_bytes(self) -> int:
        """Size of the packets kept for decoding later."""
        return self._group_bytes

    def reset(self) -> None:
        """Forget the stream; the next packet is of another."""
        self._decoder, self._stream = None, None
        self._pace.reset()
        self._forget_group()

    def feed(self, packet: Packet, fps: float, keys_only: bool) -> Iterator[Sample]:
        """Take a packet of video and yield the picture that is due with it, if any.

        Parameters: `fps` pictures a second that are wanted; `keys_only` whether key frames alone
        may be decoded, unless a sudden size asks for a look.
        """
        if packet.stream is not self._stream:
            self.reset()
            self._stream = packet.stream
        self._remember(packet)
        sudden = self._sudden.notice(packet)
        if not self._group or (keys_only and not (packet.is_key or sudden)):
            return
        # A key frame that comes a little early is the cheapest picture to take.
        early_s = (1.0 - _EARLY) / fps if packet.is_key else 0.001
        if not self._pace.is_due(packet.monotonic_s, fps, early_s):
            return
        sample = self._decode_group(packet.stream)
        if sample is not None:
            self._pace.took(packet.monotonic_s, fps)
            yield sample

    def _remember(self, packet: Packet) -> None:
        if packet.is_key:
            self._forget_group()
        elif not self._group:
            return
        self._group.append(packet)
        self._group_bytes += len(packet.data)
        if self._group_bytes > _LARGEST_GROUP_BYTES or len(self._group) > _LARGEST_GROUP_PACKETS:
            self._forget_group()

    def _forget_group(self) -> None:
        self._group.clear()
        self._group_bytes = self._decoded = 0

    def _decode_group(self, stream: Stream) -> Sample | None:
        if self._decoder is None:
            self._decoder = create_decoder(stream.codec, stream.extradata)
        last: av.VideoFrame | None = None
        waiting = self._group[self._decoded :]
        try:
            for packet in waiting:
                for picture in self._decoder.decode(_to_av(packet)):
                    last = picture
        except (av.error.FFmpegError, ValueError):
            self.damaged_count += 1
            self._decoder = None
            self._forget_group()
            return None
        self.decoded_count += len(waiting)
        self._decoded = len(self._group)
        return None if last is None else _to_sample(last, self._group[-1])


def _to_av(packet: Packet) -> av.Packet[Any]:
    copy = av.Packet(packet.data)
    copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.stream.time_base
    return copy


def _to_sample(picture: av.VideoFrame, packet: Packet) -> Sample:
    ticks = 0 if picture.pts is None else picture.pts - packet.pts
    shift_s = ticks * float(packet.stream.time_base)
    if abs(shift_s) > 2.0:
        shift_s = 0.0
    time_us = packet.time_us + round(shift_s * 1e6)
    return Sample(picture, time_us, packet.monotonic_s + shift_s, bool(picture.key_frame))
