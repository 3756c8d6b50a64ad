"""A video file shown in a loop at its own pace, as if it were a camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import av.error
from av.bitstream import BitStreamFilterContext

from vigilar_camera_rtsp.cause import Cause, SourceError, source_error
from vigilar_camera_rtsp.container import choose_streams, describe, open_container, to_unit
from vigilar_camera_rtsp.media_input import Track, Unit

_FORMATS = "mov,mp4,matroska,webm,mpegts,avi"
_FILTERS = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}


class FileInput:
    """An open file; units become due by their decoding times, the loop has no seam in time.

    Parameters: `path` of an H.264 or H.265 file in MP4, QuickTime, Matroska, MPEG-TS or AVI;
    `monotonic_s` the clock that paces it. Raises SourceError.
    """

    paced = True

    def __init__(self, path: Path, audio: bool, monotonic_s: Callable[[], float]) -> None:
        if not path.is_file():
            raise SourceError(Cause.NO_SUCH_STREAM, "there is no such file")
        options = {"format_whitelist": _FORMATS}
        self._container = open_container(str(path), protocols="file", options=options)
        try:
            streams = choose_streams(self._container, audio)
            self.tracks: Sequence[Track] = [describe(stream) for stream in streams]
        except SourceError:
            self.close()
            raise
        self._streams = streams
        video = streams[0]
        second = float(video.time_base or 1)
        self._begin_s = self._first_dts() * second
        self._video_s = video.duration * second if video.duration else float("inf")
        self._units = self._loop()
        self._next: tuple[float, Unit] | None = None
        self._start_s = monotonic_s()

    def ready(self, now_s: float) -> bool:
        """Whether the next unit is due."""
        return self._peek()[0] <= now_s - self._start_s

    def read(self) -> Unit:
        """Return the next unit, due or not."""
        _, unit = self._peek()
        self._next = None
        return unit

    def close(self) -> None:
        self._container.close()

    def _peek(self) -> tuple[float, Unit]:
        if self._next is None:
            try:
                self._next = next(self._units)
            except (av.error.FFmpegError, OSError) as error:
                raise source_error(error) from None
        return self._next

    def _loop(self) -> Iterator[tuple[float, Unit]]:
        """Yield units for ever with the second of the session at which each is due.

        A round lasts as long as the video; sound beyond its end is left out.
        """
        round_s = 0.0
        while True:
            length_s = 0.0
            for track, packet in self._one_pass():
                seconds = float(packet.time_base)
                due_s = (packet.dts or 0) * seconds - self._begin_s
                if track == 0:
                    length_s = max(length_s, due_s + (packet.duration or 0) * seconds)
                elif not 0.0 <= due_s < self._video_s:
                    continue
                yield round_s + due_s, _shifted(packet, track, round_s - self._begin_s)
            if length_s <= 0.0:
                raise SourceError(Cause.NO_PICTURE, "the file has no packets")
            round_s += length_s
            self._container.seek(0)

    def _first_dts(self) -> int:
        """Decoding time of the first picture, below zero where pictures are reordered."""
        for packet in self._container.demux(self._streams[0]):
            if packet.dts is not None:
                self._container.seek(0)
                return packet.dts
        raise SourceError(Cause.NO_PICTURE, "the file has no packets")

    def _one_pass(self) -> Iterator[tuple[int, av.Packet[Any]]]:
        video = self._streams[0]
        to_annex_b = BitStreamFilterContext(_FILTERS[self.tracks[0].codec], video)
        numbers = {stream.index: number for number, stream in enumerate(self._streams)}
        for packet in self._container.demux(self._streams):
            if packet.size == 0 or packet.dts is None:
                continue
            track = numbers[packet.stream.index]
            if track:
                yield track, packet
            else:
                yield from ((0, filtered) for filtered in to_annex_b.filter(packet))


def _shifted(packet: av.Packet[Any], track: int, shift_s: float) -> Unit:
    unit = to_unit(packet, track)
    ticks = round(shift_s / float(packet.time_base))
    times = [None if t is None else t + ticks for t in (unit.pts, unit.dts)]
    return Unit(unit.track, unit.data, times[0], times[1], unit.duration, unit.is_key)
