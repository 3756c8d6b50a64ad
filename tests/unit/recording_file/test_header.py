"""The clear header: bounded, and refused when it is not what was written."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilar_core.recording_file import NotARecording, RecordingDamaged, RecordingMetadata, key_id
from vigilar_core.recording_file import header as clear_header

_text = st.text(st.characters(codec="utf-8"), max_size=60)


@given(
    st.builds(RecordingMetadata, _text, _text, st.integers(0, 1 << 62), _text, st.none() | _text)
)
def test_metadata_come_back_as_they_went_in(key: bytes, metadata: RecordingMetadata) -> None:
    built = clear_header.build(metadata, key, 4096)
    assert clear_header.read(io.BytesIO(built.encoded + b"stream")) == built
    assert built.key_id == key_id(key)


@settings(max_examples=300)
@given(noise=st.binary(max_size=200))
def test_noise_behind_the_magic_is_refused_without_another_exception(noise: bytes) -> None:
    with pytest.raises((NotARecording, RecordingDamaged)):
        clear_header.read(io.BytesIO(clear_header.MAGIC + noise))


def test_deeply_nested_metadata_are_refused() -> None:
    text = b"[" * 4000
    head = clear_header.MAGIC + (1).to_bytes(2, "big") + (16 + len(text)).to_bytes(2, "big")
    with pytest.raises(RecordingDamaged):
        clear_header.read(io.BytesIO(head + (4096).to_bytes(4, "big") + text))


def test_a_later_version_is_named() -> None:
    data = clear_header.MAGIC + b"\0\2" + bytes(100)
    with pytest.raises(NotARecording, match="version 2"):
        clear_header.read(io.BytesIO(data))


def test_metadata_that_do_not_fit_are_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="4096"):
        clear_header.build(RecordingMetadata("r", "c" * 5000, 1, "h264"), key, 4096)


@pytest.mark.parametrize("size", [0, 16, 95, (1 << 20) + 1])
def test_a_segment_size_out_of_bounds_is_refused(
    key: bytes, metadata: RecordingMetadata, size: int
) -> None:
    with pytest.raises(ValueError, match="segment_size"):
        clear_header.build(metadata, key, size)


def test_a_key_of_another_length_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="32 bytes") as caught:
        key_id(b"secret key")
    assert "secret" not in str(caught.value)


def test_the_key_id_differs_between_keys_and_is_no_part_of_the_key(key: bytes) -> None:
    assert key_id(key) != key_id(bytes(32))
    assert bytes.fromhex(key_id(key)) not in key
