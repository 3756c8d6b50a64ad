from __future__ import annotations

import io
from dataclasses import replace

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_core.recording_file import RecordingDamaged
from vigilar_core.testing.clip import make_clip
from vigilar_recorder import thumbnail

KEY = bytes(range(32))


def size_of(jpeg: bytes) -> tuple[int, int]:
    with av.open(io.BytesIO(jpeg), format="mjpeg") as container:
        frame = next(container.decode(video=0))
        return frame.width, frame.height


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("annex_b", [True, False])
def test_a_wide_picture_is_made_narrower_in_proportion(codec: str, annex_b: bool) -> None:
    clip = make_clip(1, codec=codec, annex_b=annex_b, width=960, height=540)
    assert size_of(thumbnail.make_jpeg(clip.video[0])) == (480, 270)


def test_a_small_picture_keeps_its_size() -> None:
    assert size_of(thumbnail.make_jpeg(make_clip(1).video[0])) == (160, 120)


def test_a_broken_key_frame_is_a_value_error() -> None:
    packet = make_clip(1).video[0]
    with pytest.raises(ValueError, match="key frame"):
        thumbnail.make_jpeg(replace(packet, data=b"\0\0\1\x09\xf0"))


@given(st.binary(max_size=2000), st.data())
def test_any_change_is_found_out(jpeg: bytes, data: st.DataObject) -> None:
    sealed = bytearray(thumbnail.encrypt(jpeg, KEY, "0a"))
    assert thumbnail.decrypt(bytes(sealed), KEY, "0a") == jpeg
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(RecordingDamaged):
        thumbnail.decrypt(bytes(sealed), KEY, "0a")


@given(st.integers(0, 200))
def test_a_shortened_one_is_found_out(length: int) -> None:
    sealed = thumbnail.encrypt(bytes(200), KEY, "0a")
    with pytest.raises(RecordingDamaged):
        thumbnail.decrypt(sealed[:length], KEY, "0a")


def test_pictures_cannot_be_exchanged_among_recordings() -> None:
    sealed = thumbnail.encrypt(b"picture", KEY, "0a")
    with pytest.raises(RecordingDamaged):
        thumbnail.decrypt(sealed, KEY, "0b")


def test_another_key_opens_nothing() -> None:
    sealed = thumbnail.encrypt(b"picture", KEY, "0a")
    with pytest.raises(RecordingDamaged):
        thumbnail.decrypt(sealed, bytes(32), "0a")
