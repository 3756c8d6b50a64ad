"""Renders the scene into a video file, once for each stream a camera offers.

Main stream and sub-stream come from the same pictures, so their frame numbers agree.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

from vigilar_camera_rtsp.demo.scene import Figure, Movement, Picture, Scene

#: One person, one car, and more than ten idle seconds before each of them, across the loop too.
DEMO_MOVEMENTS = (
    Movement(Figure.PERSON, 11.0, 17.0),
    Movement(Figure.CAR, 28.0, 31.5, enter=-0.3, leave=1.3),
)
#: A person who is in full view from the first frame on.
PULSE_MOVEMENTS = (Movement(Figure.PERSON, 0.0, 4.0, enter=0.35, leave=1.12),)

#: Part of a cached file's name; a change of the pictures must change it.
_REVISION = 1
_AUDIO_RATE = {"aac": 48_000, "pcm_alaw": 8_000}
_AUDIO_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one stream is encoded. `bitrate` is a ceiling in bits per second."""

    name: str = "main"
    width: int = 1280
    height: int = 720
    codec: Literal["h264", "hevc"] = "h264"
    bitrate: int = 2_000_000
    keyframe_interval_s: float = 2.0
    audio: Literal["aac", "pcm_alaw"] | None = None

    @property
    def suffix(self) -> str:
        """MP4, except for G.711, which only QuickTime holds."""
        return ".mov" if self.audio == "pcm_alaw" else ".mp4"


MAIN = Encoding()
SUB = Encoding("sub", 640, 360, bitrate=512_000)


@dataclass(frozen=True, slots=True)
class Clip:
    """What is filmed and how it is encoded; the first encoding sets the scene's size."""

    movements: tuple[Movement, ...] = DEMO_MOVEMENTS
    duration_s: float = 36.0
    fps: int = 25
    seed: int = 1
    encodings: tuple[Encoding, ...] = field(default=(MAIN, SUB))

    @property
    def frame_count(self) -> int:
        return round(self.duration_s * self.fps)

    def file_name(self, encoding: Encoding) -> str:
        """A name that changes with everything that changes the file."""
        movements = [[m.figure.value, m.start_s, m.end_s, m.enter, m.leave] for m in self.movements]
        size = self.encodings[0].width, self.encodings[0].height
        facts = [_REVISION, movements, self.duration_s, self.fps, self.seed, size, asdict(encoding)]
        digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]
        return f"{encoding.name}-{digest}{encoding.suffix}"


def default_directory() -> Path:
    """Where generated clips are kept for the current user."""
    base = os.environ.get("XDG_CACHE_HOME")
    home = Path(base) if base else Path(tempfile.gettempdir()) / f"vigilar-demo-{os.getuid()}"
    return home / "vigilar" / "clips"


def cached_clips(clip: Clip, directory: Path | None = None) -> dict[str, Path]:
    """Return the file of each encoding by its name, rendering those that are not there yet."""
    directory = directory or default_directory()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = {e.name: directory / clip.file_name(e) for e in clip.encodings}
    if not all(path.exists() for path in paths.values()):
        with tempfile.TemporaryDirectory(dir=directory) as scratch:
            for path in render(clip, Path(scratch)).values():
                path.replace(directory / path.name)
    return paths


def render(clip: Clip, directory: Path) -> dict[str, Path]:
    """Encode every stream of `clip` into `directory`; return the files by the encoding's name."""
    first = clip.encodings[0]
    scene = Scene(first.width, first.height, clip.movements, clip.seed)
    paths = {e.name: directory / clip.file_name(e) for e in clip.encodings}
    with ExitStack() as stack:
        writers = [
            stack.enter_context(_Writer(clip, encoding, paths[encoding.name]))
            for encoding in clip.encodings
        ]
        for number in range(clip.frame_count):
            planes = scene.draw(number / clip.fps, number)
            for writer in writers:
                writer.write(planes)
    return paths


class _Writer:
    """One output file."""

    def __init__(self, clip: Clip, encoding: Encoding, path: Path) -> None:
        self._clip = clip
        self._encoding = encoding
        self._size = encoding.width, encoding.height
        self._container: OutputContainer = av.open(str(path), "w")
        self._video = self._add_video()
        self._audio = self._add_audio()
        self._tone = _tone(clip.duration_s, encoding.audio) if encoding.audio else iter(())
        self._sound_s = 0.0
        self._number = 0

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.mux(self._video.encode(None))
        if self._audio is not None:
            self._container.mux(self._audio.encode(None))
        self._container.close()

    def write(self, planes: Sequence[Picture]) -> None:
        frame = av.VideoFrame(*self._size, "yuv420p")
        for target, plane in zip(frame.planes, planes, strict=True):
            fitted = _fit(plane, target.width, target.height)
            if target.line_size == target.width:
                target.update(fitted.tobytes())
            else:
                padded = np.zeros((target.height, target.line_size), np.uint8)
                padded[:, : target.width] = fitted
                target.update(padded.tobytes())
        frame.pts, frame.time_base = self._number, Fraction(1, self._clip.fps)
        self._container.mux(self._video.encode(frame))
        self._number += 1
        self._write_audio(self._number / self._clip.fps)

    def _write_audio(self, until_s: float) -> None:
        while self._audio is not None and self._sound_s < until_s:
            chunk = next(self._tone, None)
            if chunk is None:
                return
            self._container.mux(self._audio.encode(chunk))
            self._sound_s += chunk.samples / chunk.sample_rate

    def _add_video(self) -> VideoStream:
        encoding, fps = self._encoding, self._clip.fps
        library = "libx264" if encoding.codec == "h264" else "libx265"
        stream = cast(VideoStream, self._container.add_stream(library, rate=fps))
        stream.width, stream.height, stream.pix_fmt = encoding.width, encoding.height, "yuv420p"
        stream.thread_count = 1
        stream.options = {**_encoder_options(encoding, fps)}
        return stream

    def _add_audio(self) -> AudioStream | None:
        codec = self._encoding.audio
        if codec is None:
            return None
        return self._container.add_stream(codec, rate=_AUDIO_RATE[codec], layout="mono")


def _encoder_options(encoding: Encoding, fps: int) -> dict[str, str]:
    group = round(encoding.keyframe_interval_s * fps)
    kilobits = encoding.bitrate // 1000
    rhythm = f"keyint={group}:min-keyint={group}:scenecut=0:bframes=0"
    common = f"{rhythm}:vbv-maxrate={kilobits}:vbv-bufsize={kilobits}"
    if encoding.codec == "h264":
        private = f"{common}:ref=1:rc-lookahead=0:sync-lookahead=0:mbtree=0:sliced-threads=0"
        return {"preset": "superfast", "crf": "27", "x264-params": private}
    private = f"{common}:open-gop=0:rc-lookahead=0:pools=none:frame-threads=1:log-level=error"
    return {"preset": "ultrafast", "crf": "28", "x265-params": private}


def _fit(plane: Picture, width: int, height: int) -> Picture:
    if plane.shape == (height, width):
        return plane
    fitted = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
    return fitted.astype(np.uint8, copy=False)


def _tone(duration_s: float, codec: str) -> Iterator[av.AudioFrame]:
    """A quiet 440 Hz tone that swells once a second."""
    rate = _AUDIO_RATE[codec]
    sample_format = "fltp" if codec == "aac" else "s16"
    for start in range(0, int(duration_s * rate), _AUDIO_CHUNK):
        time_s = np.arange(start, start + _AUDIO_CHUNK) / rate
        wave = 0.1 * np.sin(2 * np.pi * 440 * time_s) * np.sin(np.pi * time_s) ** 2
        samples = wave.astype(np.float32) if codec == "aac" else (wave * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), sample_format, "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        yield frame
