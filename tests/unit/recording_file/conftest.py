"""Shared by the tests of the recording file: keys, small recordings, MP4s made by FFmpeg."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from vigilar_core.recording_file import Mp4RecordingWriter, RecordingMetadata, RecordingWriter

KEY = bytes(range(32))
METADATA = RecordingMetadata("rec-1", "front_door", 1_700_000_000_000_000, "h264", "aac")

Seal = Callable[..., bytes]


@pytest.fixture(scope="session")
def key() -> bytes:
    return KEY


@pytest.fixture(scope="session")
def metadata() -> RecordingMetadata:
    return METADATA


@pytest.fixture(scope="session")
def record() -> Seal:
    """Return a function that records chunks, flushing after each, and returns the file."""

    def run(chunks: list[bytes], *, segment_size: int = 128, sealed: bool = True) -> bytes:
        file = io.BytesIO()
        writer = RecordingWriter(file, KEY, METADATA, segment_size=segment_size)
        for chunk in chunks:
            writer.write(chunk)
            writer.flush()
        if sealed:
            writer.seal()
        return file.getvalue()

    return run


def _ffmpeg(*arguments: str) -> bytes:
    command = ["ffmpeg", "-v", "error", "-nostdin", *arguments, "-f", "mp4", "-"]
    return subprocess.run(command, check=True, capture_output=True, timeout=90).stdout


_MOVFLAGS = "empty_moov+default_base_moof"


@pytest.fixture(scope="session")
def fragmented_mp4() -> bytes:
    """20 s of picture and sound, a key frame every 2 s, a fragment every 0.5 s and key frame."""
    return _ffmpeg(
        "-f", "lavfi", "-i", "testsrc=s=320x180:r=10:d=20", "-f", "lavfi", "-i", "sine=d=20",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-movflags", f"{_MOVFLAGS}+frag_keyframe", "-frag_duration", "500000",
    )  # fmt: skip


@pytest.fixture(scope="session")
def fragmented_mp4_with_b_frames() -> bytes:
    """6 s of picture whose frames are not stored in the order of display."""
    return _ffmpeg(
        "-f", "lavfi", "-i", "testsrc=s=320x180:r=10:d=6", "-c:v", "libx264", "-bf", "2",
        "-g", "10", "-pix_fmt", "yuv420p", "-movflags", f"{_MOVFLAGS}+frag_keyframe",
    )  # fmt: skip


@pytest.fixture(scope="session")
def heavy_mp4() -> bytes:
    """Two minutes padded to 2 Mbit/s, so that fetching all of it would show."""
    return _ffmpeg(
        "-f", "lavfi", "-i", "testsrc=s=160x120:r=10:d=120", "-c:v", "libx264",
        "-preset", "ultrafast", "-g", "20", "-pix_fmt", "yuv420p", "-b:v", "2M", "-maxrate", "2M",
        "-bufsize", "2M", "-x264-params", "nal-hrd=cbr",
        "-movflags", f"{_MOVFLAGS}+frag_keyframe", "-frag_duration", "500000",
    )  # fmt: skip


@pytest.fixture
def record_mp4(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that records the bytes of a muxer and returns the path of the file."""

    def run(mp4: bytes, *, sealed: bool = True, piece: int = 5003) -> Path:
        path = tmp_path / f"{os.urandom(4).hex()}.vge"
        with path.open("xb", buffering=0) as file:
            writer = Mp4RecordingWriter(RecordingWriter(file, KEY, METADATA))
            for at in range(0, len(mp4), piece):
                writer.write(mp4[at : at + piece])
            if sealed:
                writer.seal(durable=False)
        return path

    return run
