"""Cuts a camera's packets into fragments (ISO/IEC 14496-12, 8.8: ``moof`` and ``mdat``)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from vigilar_core.fragments.aac import AacEncoder
from vigilar_core.fragments.annex_b import to_sample
from vigilar_core.fragments.init_segment import InitSegment, TrackHeader, make_init_segment
from vigilar_core.fragments.sample_entry import aac_entry, video_entry
from vigilar_core.fragments.track import TrackBuffer
from vigilar_core.media import Packet, Stream
from vigilar_core.recording_file.boxes import make_box, make_full_box

_AAC_FRAME_SAMPLES = 1024
_MOOF_FIXED_SIZE = 8 + 16
#: Duration of a sample that nothing is known about yet, in seconds.
_GUESSED_DURATION_S = 0.04


@dataclass(frozen=True, slots=True)
class MediaFragment:
    """A ``moof`` box with its ``mdat``.

    :param data: both boxes
    :param decode_time_s: when its first video sample is decoded, from the first of all
    :param duration_s: of its video
    :param starts_with_key_frame: whether playing can begin here
    :param time_us: wall-clock time of its first video packet
    """

    data: bytes
    decode_time_s: float
    duration_s: float
    starts_with_key_frame: bool
    time_us: int


class FragmentSink(Protocol):
    """Where a fragmenter puts what it makes."""

    def init_segment(self, segment: InitSegment) -> None:
        """Take what stands in front of all fragments; called once, before the first."""

    def fragment(self, fragment: MediaFragment) -> None:
        """Take the next fragment."""


class Fragmenter:
    """Makes fragmented MP4 of packets: H.264 and H.265 as they are, AAC as it is, other sound
    encoded as AAC or left out.

    Begins with the first key frame; its decoding is time 0, and sound is placed beside its
    presentation by the packets' moments. A fragment is handed over when the packet behind it
    comes, because only then the duration of its last sample is known, or at :meth:`flush`.

    :param streams: of one generation; the first video and the first audio stream are used
    :param sink: gets the init segment, then the fragments
    :param fragment_s: longest fragment in seconds; one begins at each key frame too
    :param encode_audio: encode sound that MP4 cannot hold; else it is left out
    :raises ValueError: there is no video stream
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        sink: FragmentSink,
        fragment_s: float = 0.5,
        *,
        encode_audio: bool = True,
    ) -> None:
        videos = [stream for stream in streams if stream.kind == "video"]
        if not videos:
            raise ValueError("the camera sends no video stream")
        self._video = videos[0]
        self._sink = sink
        self._fragment_s = fragment_s
        self._sequence = 0
        self._annex_b = False
        self._started: Packet | None = None
        #: What is left out, and why, in words; empty when everything is kept.
        self.left_out = ""
        self._audio: Stream | None = None
        self._encoder: AacEncoder | None = None
        self._audio_start: tuple[int, int] | None = None
        self._last_audio: Packet | None = None
        self._choose_audio([stream for stream in streams if stream.kind == "audio"], encode_audio)
        # Ticks of the time base times its numerator are exact at its denominator.
        self._video_track = self._track(1, self._video.time_base.denominator)
        self._audio_track = self._track(2, self._audio_rate_hz or 1)
        self._time_us = 0

    @property
    def audio_codec(self) -> str | None:
        """Codec of the sound in the fragments; ``None`` without sound."""
        return "aac" if self._audio is not None else None

    def packet(self, packet: Packet) -> None:
        """Take a packet of one of the streams; others are passed over.

        :raises ValueError: the stream cannot be put into MP4, or its times go backwards
        """
        if packet.stream.kind == "video":
            if packet.stream.index == self._video.index:
                self._take_video(packet)
        elif self._audio is not None and packet.stream.index == self._audio.index:
            self._take_audio(packet)

    def flush(self) -> None:
        """Hand over what is held, without waiting for the packet behind it."""
        tracks = [track for track in (self._video_track, self._audio_track) if len(track)]
        if not tracks:
            return
        self._sequence += 1
        moof_size = _MOOF_FIXED_SIZE + sum(track.box_size for track in tracks)
        boxes, parts, offset = [], [], moof_size + 8
        for track in tracks:
            boxes.append(track.box(offset))
            parts += track.data()
            offset += track.size_bytes
        sequence = make_full_box(b"mfhd", 0, 0, struct.pack(">I", self._sequence))
        mdat = struct.pack(">I4s", offset - moof_size, b"mdat")
        data = b"".join((make_box(b"moof", sequence, *boxes), mdat, *parts))
        video = self._video_track
        fragment = MediaFragment(
            data,
            video.first_ticks / video.timescale,
            video.duration_ticks / video.timescale,
            video.starts_with_key_frame,
            self._time_us,
        )
        for track in tracks:
            track.clear()
        self._sink.fragment(fragment)

    def close(self) -> None:
        """Hand over the rest, also of what an encoder holds; no packet may follow."""
        if self._encoder is not None and self._last_audio is not None:
            for samples, data in self._encoder.finish():
                self._add_audio(self._last_audio, samples, data)
        self.flush()

    @property
    def holds_samples(self) -> bool:
        """Whether :meth:`flush` would hand over something."""
        return bool(len(self._video_track) or len(self._audio_track))

    def _choose_audio(self, streams: Sequence[Stream], encode: bool) -> None:
        if not streams:
            return
        stream = streams[0]
        if stream.codec == "aac" and stream.extradata:
            self._audio = stream
        elif not encode:
            self.left_out = f"sound in {stream.codec} cannot go into MP4"
        else:
            try:
                self._encoder = AacEncoder(stream)
            except (ValueError, OSError) as error:
                # FFmpeg's own errors are OSError or ValueError; video matters more than sound.
                self.left_out = f"sound in {stream.codec}: {error}"
            else:
                self._audio = stream

    @property
    def _audio_rate_hz(self) -> int:
        if self._encoder is not None:
            return self._encoder.sample_rate_hz
        return self._audio.sample_rate_hz if self._audio is not None else 0

    def _track(self, number: int, timescale: int) -> TrackBuffer:
        step = round(_GUESSED_DURATION_S * timescale) if number == 1 else _AAC_FRAME_SAMPLES
        return TrackBuffer(number, timescale, step)

    def _start(self, packet: Packet) -> None:
        video = video_entry(self._video, packet.data)
        headers = [
            TrackHeader(
                1, self._video_track.timescale, video, self._video.width, self._video.height
            )
        ]
        if self._audio is not None:
            encoder = self._encoder
            entry = aac_entry(
                encoder.configuration if encoder else self._audio.extradata,
                self._audio_rate_hz,
                encoder.channels if encoder else self._audio.channels,
            )
            headers.append(TrackHeader(2, self._audio_track.timescale, entry))
        self._annex_b = video.annex_b
        self._started = packet
        if packet.duration:
            self._video_track.step = packet.duration * self._video.time_base.numerator
        self._sink.init_segment(make_init_segment(headers))

    def _take_video(self, packet: Packet) -> None:
        if self._started is None:
            if not packet.is_key:
                return
            self._start(packet)
        first = self._started
        assert first is not None
        track, scale = self._video_track, self._video.time_base.numerator
        ticks = (packet.dts - first.dts) * scale
        if track.last_ticks is not None and ticks <= track.last_ticks:
            raise ValueError("decoding times of the video went backwards")
        track.note_time(ticks)
        if len(track) and (
            packet.is_key or track.reach(ticks) > self._fragment_s * track.timescale
        ):
            self.flush()
        if not len(track):
            self._time_us = packet.time_us
        parts = (
            to_sample(packet.data, hevc=self._video.codec == "hevc")
            if self._annex_b
            else (packet.data,)
        )
        track.add(ticks, (packet.pts - packet.dts) * scale, packet.is_key, parts)

    def _take_audio(self, packet: Packet) -> None:
        if self._encoder is not None:
            # The encoder runs from the start, so that nothing is missing when video begins.
            self._last_audio = packet
            for samples, data in self._encoder.encode(packet):
                self._add_audio(packet, samples, data)
        else:
            base = packet.stream.time_base
            self._add_audio(packet, round(packet.pts * base * self._audio_rate_hz), packet.data)

    def _add_audio(self, packet: Packet, samples: int, data: bytes) -> None:
        if self._started is None:
            return
        if self._audio_start is None:
            first = self._started
            # With B-frames the first picture is shown a little after it is decoded.
            lead_s = float((first.pts - first.dts) * self._video.time_base)
            moment_s = packet.monotonic_s - first.monotonic_s + lead_s
            position = round(packet.pts * packet.stream.time_base * self._audio_rate_hz)
            self._audio_start = position, round(moment_s * self._audio_rate_hz)
        position, start = self._audio_start
        ticks = samples - position + start
        track = self._audio_track
        if ticks < 0:
            return
        track.note_time(ticks)
        # Sound alone fills a fragment only while the video stands still.
        if track.reach(ticks) > 2 * self._fragment_s * track.timescale:
            self.flush()
        track.add(ticks, 0, True, (data,))
