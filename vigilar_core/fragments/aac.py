"""Turns sound that MP4 cannot hold, such as G.711, into AAC. The only part that needs PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, cast

from vigilar_core.media import Packet, Stream

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext
    from av.audio.frame import AudioFrame

#: Sampling frequencies of AAC (ISO/IEC 14496-3, table 1.18), in Hz.
_RATES_HZ = frozenset(
    {7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000}
)
_FALLBACK_RATE_HZ = 48_000
_FRAME_SAMPLES = 1024
_BITS_PER_SAMPLE = 2
#: A jump of the source's times beyond this is silence that was lost, not jitter; in seconds.
_GAP_S = 0.1


class AacEncoder:
    """Decodes a stream and encodes it as AAC-LC with the same rate and up to two channels.

    :param stream: an audio stream
    :raises ValueError: FFmpeg has no decoder for it
    """

    def __init__(self, stream: Stream) -> None:
        import av  # heavy; processes without such sound do without it

        rate = stream.sample_rate_hz
        self.sample_rate_hz = rate if rate in _RATES_HZ else _FALLBACK_RATE_HZ
        self.channels = min(stream.channels or 1, 2)
        layout = "mono" if self.channels == 1 else "stereo"
        try:
            decoder = av.CodecContext.create(stream.codec, "r")
        except av.codec.codec.UnknownCodecError:
            raise ValueError(f"sound in {stream.codec!r} is unknown to FFmpeg") from None
        self._decoder = cast("AudioCodecContext", decoder)
        self._decoder.sample_rate = rate
        self._decoder.layout = "mono" if stream.channels <= 1 else f"{stream.channels}c"
        if stream.extradata:
            self._decoder.extradata = stream.extradata
        self._resampler = av.AudioResampler("fltp", layout, self.sample_rate_hz, _FRAME_SAMPLES)
        self._encoder = av.AudioCodecContext.create("aac", "w")
        self._encoder.sample_rate = self.sample_rate_hz
        self._encoder.layout = layout
        self._encoder.format = "fltp"
        self._encoder.time_base = Fraction(1, self.sample_rate_hz)
        self._encoder.bit_rate = self.sample_rate_hz * self.channels * _BITS_PER_SAMPLE
        self._encoder.open()
        #: AudioSpecificConfig of what comes out.
        self.configuration = bytes(self._encoder.extradata or b"")
        self._packet = av.Packet
        self._time_base = stream.time_base
        self._fed_samples = 0
        self._expected: int | None = None
        self._shift_samples = 0

    def encode(self, packet: Packet) -> Iterator[tuple[int, bytes]]:
        """Take a packet; yield presentation time in samples, on the packets' scale, and AAC.

        Each piece of AAC lasts 1024 samples.
        """
        position = round(packet.pts * self._time_base * self.sample_rate_hz)
        if self._expected is None or abs(position - self._expected) > _GAP_S * self.sample_rate_hz:
            self._shift_samples += position - (self._expected or 0)
            self._expected = position
        for frame in self._decoder.decode(self._packet(packet.data)):
            self._expected += round(frame.samples * self.sample_rate_hz / frame.sample_rate)
            frame.pts = None
            yield from self._encode(frame)

    def finish(self) -> Iterator[tuple[int, bytes]]:
        """Yield what decoder and encoder still hold; the last piece is filled up with silence."""
        yield from self._encode(None)
        for encoded in self._encoder.encode(None):
            yield (encoded.pts or 0) + self._shift_samples, bytes(encoded)

    def _encode(self, frame: AudioFrame | None) -> Iterator[tuple[int, bytes]]:
        for part in self._resampler.resample(frame):
            part.pts = self._fed_samples
            part.time_base = self._encoder.time_base
            self._fed_samples += part.samples
            for encoded in self._encoder.encode(part):
                yield (encoded.pts or 0) + self._shift_samples, bytes(encoded)
