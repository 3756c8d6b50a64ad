from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vigilar_live.codecs import codec_string


def made(tmp_path: Path, *encoder: str, audio: bool = False) -> bytes:
    target = tmp_path / "clip.mp4"
    sound = ["-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac"] if audio else []
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=320x180:d=1", *sound, *encoder]
        + ["-pix_fmt", "yuv420p", "-movflags", "empty_moov+frag_keyframe", str(target)],
        check=True,
    )
    data = target.read_bytes()
    return data[: data.index(b"moof") - 4]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [("baseline", "avc1.42c0"), ("main", "avc1.4d40"), ("high", "avc1.6400")],
)
def test_h264_names_profile_and_level(tmp_path: Path, profile: str, expected: str) -> None:
    init = made(tmp_path, "-c:v", "libx264", "-profile:v", profile, "-level", "4.0")
    assert codec_string(init) == f"{expected}28"


def test_audio_is_named_too(tmp_path: Path) -> None:
    init = made(tmp_path, "-c:v", "libx264", "-profile:v", "high", "-level", "4.0", audio=True)
    assert codec_string(init) == "avc1.640028,mp4a.40.2"


def test_h265_names_profile_compatibility_tier_and_level(tmp_path: Path) -> None:
    parameters = ["-c:v", "libx265", "-tag:v", "hvc1", "-x265-params", "log-level=none:level-idc=31"]
    assert codec_string(made(tmp_path, *parameters)).startswith("hvc1.1.6.L93.9")


@given(st.binary(max_size=300))
def test_garbage_is_either_refused_or_empty(data: bytes) -> None:
    try:
        assert codec_string(io.BytesIO(data).read()) == "" or b"avcC" in data or b"hvcC" in data
    except ValueError:
        pass
