"""Salvage seals what a killed writer left, and can itself be killed."""

from __future__ import annotations

import io
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from vigilar_core.recording_file import (
    NotARecording,
    RecordingDamaged,
    RecordingInUse,
    RecordingReader,
    RecordingState,
    RecordingWriter,
    WrongKey,
    salvage,
)
from vigilar_core.recording_file.header import RecordingMetadata

CHUNKS = [b"init" * 30, b"one" * 90, b"two" * 120]


def test_a_prefix_of_any_length_is_sealed_without_losing_an_authentic_segment(
    tmp_path: Path, record: Callable[..., bytes], key: bytes
) -> None:
    path = tmp_path / "cut.vge"
    data = record(CHUNKS)
    whole = RecordingReader(io.BytesIO(data), key)
    plaintext = whole.readall()
    for size in range(whole.cipher.file_offset(0), len(data), 5):
        path.write_bytes(data[:size])
        before = RecordingReader(io.BytesIO(data[:size]), key, allow_unsealed=True)
        result = salvage(path, key)
        with RecordingReader(path.open("rb"), key) as after:
            assert after.readall() == plaintext[: before.size_bytes] == before.readall()
        assert result.discarded_bytes == before.torn_bytes
        assert result.file.size_bytes == size - before.torn_bytes + 16
        assert result.file.sha256 == sha256(path.read_bytes()).hexdigest()


def test_salvage_killed_at_any_byte_and_repeated_gives_the_same_file(
    tmp_path: Path, record: Callable[..., bytes], key: bytes
) -> None:
    path = tmp_path / "cut.vge"
    torn = record(CHUNKS, sealed=False)[:-50]
    path.write_bytes(torn)
    result = salvage(path, key)
    expected = path.read_bytes()
    for written in range(1, 17):
        path.write_bytes(expected[: len(expected) - written])
        assert salvage(path, key).file == result.file
        assert path.read_bytes() == expected


def test_salvage_ends_a_file_with_the_very_bytes_the_writer_would_have_used(
    tmp_path: Path, record: Callable[..., bytes], key: bytes
) -> None:
    path = tmp_path / "cut.vge"
    sealed = record(CHUNKS)
    path.write_bytes(sealed[:-16])
    salvage(path, key)
    assert path.read_bytes() == sealed


def test_a_sealed_file_is_left_as_it_is(
    tmp_path: Path, record: Callable[..., bytes], key: bytes
) -> None:
    path = tmp_path / "whole.vge"
    sealed = record(CHUNKS)
    path.write_bytes(sealed)
    result = salvage(path, key)
    assert result.was_sealed
    assert result.discarded_bytes == 0
    assert path.read_bytes() == sealed


def test_damage_in_the_middle_neither_shortens_the_file_nor_becomes_invisible(
    tmp_path: Path, record: Callable[..., bytes], key: bytes
) -> None:
    path = tmp_path / "hole.vge"
    data = bytearray(record(CHUNKS, sealed=False))
    hole = RecordingReader(io.BytesIO(data), key, allow_unsealed=True).cipher.file_offset(2)
    data[hole : hole + 128] = bytes(128)
    path.write_bytes(data)
    assert salvage(path, key).discarded_bytes == 0
    with RecordingReader(path.open("rb"), key) as reader:
        assert reader.state is RecordingState.SEALED
        with pytest.raises(RecordingDamaged) as caught:
            reader.verify()
        assert caught.value.offset == hole


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda data: data + bytes(10), RecordingDamaged),
        (lambda data: data.replace(b"front_door", b"other_door")[:-16], RecordingDamaged),
        (lambda data: b"no recording" * 20, NotARecording),
        (lambda data: b"", NotARecording),
    ],
    ids=["appended", "header changed", "foreign", "empty"],
)
def test_what_cannot_be_salvaged_is_not_touched(
    tmp_path: Path,
    record: Callable[..., bytes],
    key: bytes,
    spoil: Callable[[bytes], bytes],
    error: type[Exception],
) -> None:
    path = tmp_path / "spoilt.vge"
    spoilt = spoil(record(CHUNKS))
    path.write_bytes(spoilt)
    with pytest.raises(error):
        salvage(path, key)
    assert path.read_bytes() == spoilt


def test_a_wrong_key_does_not_touch_the_file(tmp_path: Path, record: Callable[..., bytes]) -> None:
    path = tmp_path / "other.vge"
    unsealed = record(CHUNKS, sealed=False)
    path.write_bytes(unsealed)
    with pytest.raises(WrongKey):
        salvage(path, bytes(32))
    assert path.read_bytes() == unsealed


def test_a_file_whose_writer_is_alive_is_not_touched(
    tmp_path: Path, key: bytes, metadata: RecordingMetadata
) -> None:
    path = tmp_path / "alive.vge"
    with path.open("xb", buffering=0) as file:
        writer = RecordingWriter(file, key, metadata)
        writer.write(b"abcd")
        writer.flush()
        with pytest.raises(RecordingInUse):
            salvage(path, key)
        writer.seal()
    assert salvage(path, key).was_sealed
