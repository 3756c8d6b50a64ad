"""Recordings of the older format stay readable."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilar_core.recording_file import (
    LegacyRecordingReader,
    NotARecording,
    RecordingReader,
    open_recording,
)

PLAINTEXT = b"\0\0\0\x18ftypisom" + bytes(range(256)) * 20


def _legacy(plaintext: bytes, key: bytes, iv: bytes) -> bytes:
    return iv + Cipher(AES(key), CTR(iv)).encryptor().update(plaintext)


@settings(max_examples=200, deadline=None)
@given(
    iv=st.binary(min_size=16, max_size=16) | st.just(b"\xff" * 16),
    start=st.integers(0, 6000),
    size=st.integers(0, 6000),
)
def test_any_range_of_a_legacy_recording_is_read(
    key: bytes, iv: bytes, start: int, size: int
) -> None:
    reader = LegacyRecordingReader(io.BytesIO(_legacy(PLAINTEXT, key, iv)), key)
    reader.seek(start)
    assert reader.size_bytes == len(PLAINTEXT)
    assert reader.read(size) == PLAINTEXT[start : start + size]


def test_a_wrong_key_is_noticed_by_the_first_box(key: bytes) -> None:
    with pytest.raises(NotARecording, match="another key"):
        LegacyRecordingReader(io.BytesIO(_legacy(PLAINTEXT, key, bytes(16))), b"\1" * 32)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 23])
def test_a_file_too_short_for_a_box_is_refused(key: bytes, size: int) -> None:
    with pytest.raises(NotARecording):
        LegacyRecordingReader(io.BytesIO(_legacy(PLAINTEXT, key, bytes(16))[:size]), key)


def test_the_format_is_picked_by_the_first_bytes(
    tmp_path: Path, record: Callable[..., bytes], key: bytes
) -> None:
    old, new = tmp_path / "old.vge", tmp_path / "new.vge"
    old.write_bytes(_legacy(PLAINTEXT, key, b"\7" * 16))
    new.write_bytes(record([PLAINTEXT]))
    with open_recording(old, key) as legacy, open_recording(new, key) as present:
        assert isinstance(legacy, LegacyRecordingReader)
        assert isinstance(present, RecordingReader)
        assert legacy.readall() == present.read(len(PLAINTEXT)) == PLAINTEXT


def test_a_file_of_neither_format_is_refused(tmp_path: Path, key: bytes) -> None:
    path = tmp_path / "letter.vge"
    path.write_bytes(b"Dear reader, this is only a letter of some length." * 3)
    with pytest.raises(NotARecording):
        open_recording(path, key)


def test_the_older_format_does_not_notice_a_change_which_is_why_it_is_only_read(key: bytes) -> None:
    data = bytearray(_legacy(PLAINTEXT, key, bytes(16)))
    data[1000] ^= 1
    assert LegacyRecordingReader(io.BytesIO(data), key).readall() != PLAINTEXT
