"""Opens FFmpeg containers under the rules of this house.

Every container is opened with a list of the protocols it may use, with time-outs, without FFmpeg's
log (it prints addresses), and every error comes out as a `SourceError` without FFmpeg's text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import av
import av.error
import av.logging
from av.audio.codeccontext import AudioCodecContext

from vigilar_camera_rtsp.cause import Cause, SourceError, source_error
from vigilar_camera_rtsp.media_input import LARGEST_UNIT_BYTES, VIDEO_CODECS, Track, Unit

if TYPE_CHECKING:
    from av.codec.context import CodecContext
    from av.container import InputContainer
    from av.stream import Stream

_MOST_TRACKS = 16


def open_container(
    target: str,
    *,
    protocols: str,
    options: Mapping[str, str],
    timeouts_s: tuple[float, float] | None = None,
    format: str | None = None,
) -> InputContainer:
    """Open `target` for reading.

    Parameters: `protocols` the only ones FFmpeg may use, separated by commas; `timeouts_s` for
    opening and for each read. Raises SourceError.
    """
    av.logging.set_level(None)
    checked = {**options, "protocol_whitelist": protocols}
    try:
        return av.open(target, format=format, options=checked, timeout=timeouts_s)
    except (av.error.FFmpegError, OSError, ValueError, UnicodeError) as error:
        raise source_error(error) from None


def choose_streams(container: InputContainer, audio: bool) -> list[Stream]:
    """The first video stream that can be used and, if wanted, the first of audio."""
    streams = list(container.streams)[:_MOST_TRACKS]
    videos = [stream for stream in streams if stream.type == "video"]
    usable = [stream for stream in videos if codec_name(stream) in VIDEO_CODECS]
    if not usable:
        names = ", ".join(codec_name(stream) for stream in videos[:4])
        cause = Cause.UNSUPPORTED_CODEC if videos else Cause.NO_SUCH_STREAM
        raise SourceError(cause, names or "it has no video")
    sounds = [s for s in streams if s.type == "audio" and codec_name(s) != "unknown"]
    return usable[:1] + (sounds[:1] if audio else [])


def codec_name(stream: Stream) -> str:
    """FFmpeg's name of the codec, ``unknown`` when it has none."""
    context: CodecContext | None = stream.codec_context  # absent for a codec FFmpeg has not
    return "unknown" if context is None else context.name


def describe(stream: Stream) -> Track:
    """Read a stream's parameters; raises SourceError when it has no time base."""
    if not stream.time_base:
        raise SourceError(Cause.INVALID_STREAM, "no time base")
    context = stream.codec_context
    extradata = bytes(context.extradata or b"")
    if not isinstance(context, AudioCodecContext):
        return Track("video", context.name, stream.time_base, extradata)
    rate, channels = context.sample_rate or 0, context.channels or 0
    return Track("audio", context.name, stream.time_base, extradata, rate, channels)


def to_unit(packet: av.Packet[Any], track: int) -> Unit:
    """Copy a packet out of FFmpeg's hands; raises SourceError when it is empty or monstrous."""
    if packet.size == 0:
        # FFmpeg ends a stream with an empty packet when the other side has closed in good order.
        raise SourceError(Cause.DISCONNECTED)
    if packet.size > LARGEST_UNIT_BYTES:
        raise SourceError(Cause.INVALID_STREAM, f"an access unit of {packet.size} bytes")
    return Unit(
        track, bytes(packet), packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe
    )
