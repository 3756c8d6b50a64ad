"""A USB camera: raw pictures from video4linux2, encoded once on arrival."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
import av.error
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from vigilar_camera_rtsp.cause import Cause, SourceError, source_error
from vigilar_camera_rtsp.container import open_container
from vigilar_camera_rtsp.media_input import Track, Unit
from vigilar_camera_rtsp.settings import CameraSource

_TIME_BASE = Fraction(1, 90_000)
_KEYFRAME_INTERVAL_S = 2
_DEFAULT_RATE = 25


class DeviceInput:
    """An open capture device.

    Parameters: `target` the device, `format` FFmpeg's name for its kind: ``v4l2``; tests use
    ``lavfi``, which generates pictures. Raises SourceError.
    """

    paced = False

    def __init__(self, target: str, settings: CameraSource, format: str = "v4l2") -> None:
        options = _options(settings) if format == "v4l2" else {}
        self._container = open_container(target, protocols="file", options=options, format=format)
        if not self._container.streams.video:
            self.close()
            raise SourceError(Cause.NO_SUCH_STREAM, "the device gives no pictures")
        self._source = self._container.streams.video[0]
        self._encoder = _encoder(self._source.codec_context, self._source.average_rate, settings)
        self.tracks: Sequence[Track] = [Track("video", "h264", _TIME_BASE)]
        self._pictures = self._decode()
        self._waiting: deque[Unit] = deque()

    def ready(self, now_s: float) -> bool:
        """Always: the live edge knows when the next picture comes."""
        return True

    def read(self) -> Unit:
        """Return the next picture, encoded."""
        while not self._waiting:
            try:
                picture = next(self._pictures)
                for packet in self._encoder.encode(picture):
                    times = packet.pts, packet.dts
                    key = packet.is_keyframe
                    self._waiting.append(Unit(0, bytes(packet), *times, 0, key, picture))
            except StopIteration:
                raise SourceError(Cause.DISCONNECTED) from None
            except (av.error.FFmpegError, OSError) as error:
                raise source_error(error) from None
        return self._waiting.popleft()

    def close(self) -> None:
        self._container.close()

    def _decode(self) -> Iterator[av.VideoFrame]:
        size = self._encoder.width, self._encoder.height
        for frame in self._container.decode(self._source):
            seconds = (frame.pts or 0) * frame.time_base if frame.time_base else Fraction(0)
            picture = frame.reformat(*size, format="yuv420p")
            # A raw picture calls itself a key frame, and the encoder would believe it.
            picture.pict_type = PictureType.NONE
            picture.pts, picture.time_base = round(seconds / _TIME_BASE), _TIME_BASE
            yield picture


def _options(settings: CameraSource) -> dict[str, str]:
    width, height = settings.resolution_capture
    options = {"video_size": f"{width}x{height}"}
    if settings.options.framerate:
        options["framerate"] = str(settings.options.framerate)
    if settings.options.input_format:
        key = "input_format" if settings.options.input_format == "mjpeg" else "pixel_format"
        options[key] = settings.options.input_format
    return options


def _encoder(
    source: VideoCodecContext, rate: Fraction | None, settings: CameraSource
) -> VideoCodecContext:
    """An H.264 encoder without delay, its parameter sets before each key frame."""
    rate = rate or Fraction(_DEFAULT_RATE)
    group = max(1, round(rate * _KEYFRAME_INTERVAL_S))
    kilobits = settings.options.bitrate_kbps
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = source.width & ~1, source.height & ~1
    encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", _TIME_BASE, rate
    encoder.thread_count = 1
    rules = f"keyint={group}:min-keyint={group}:scenecut=0:repeat-headers=1:annexb=1"
    encoder.options = {
        "preset": "veryfast",
        "tune": "zerolatency",
        "crf": "24",
        "maxrate": f"{kilobits}k",
        "bufsize": f"{kilobits}k",
        "x264-params": rules,
    }
    return encoder
