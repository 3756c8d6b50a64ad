"""Whatever is done to a file, a reader either notices it or returns what was written."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigilar_core.recording_file import RecordingDamaged, RecordingError, RecordingReader, WrongKey

CHUNKS = [b"ftyp and moov" * 9, b"first fragment" * 17, b"second fragment" * 23, b"third" * 5]
SEGMENT_SIZE = 128


@pytest.fixture(scope="module")
def sealed(record: Callable[..., bytes]) -> bytes:
    return record(CHUNKS)


@pytest.fixture(scope="module")
def unsealed(record: Callable[..., bytes]) -> bytes:
    return record(CHUNKS, sealed=False)


@pytest.fixture(scope="module")
def other(record: Callable[..., bytes]) -> bytes:
    """Another recording of the same length, camera, content and key."""
    return record(CHUNKS)


def _read(data: bytes, key: bytes, *, allow_unsealed: bool = False) -> bytes:
    return RecordingReader(io.BytesIO(data), key, allow_unsealed=allow_unsealed).readall()


def _verify(data: bytes, key: bytes) -> None:
    RecordingReader(io.BytesIO(data), key).verify()


def _flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_the_untouched_file_passes_every_check_used_here(
    sealed: bytes, unsealed: bytes, key: bytes
) -> None:
    _verify(sealed, key)
    assert _read(sealed, key) == _read(unsealed, key, allow_unsealed=True)


def test_every_single_bit_flip_of_a_sealed_file_is_detected(sealed: bytes, key: bytes) -> None:
    assert len(sealed) * 8 > 10_000
    for bit in range(len(sealed) * 8):
        with pytest.raises(RecordingError):
            _verify(_flipped(sealed, bit), key)


def test_every_truncation_of_a_sealed_file_is_detected(sealed: bytes, key: bytes) -> None:
    for size in range(len(sealed)):
        with pytest.raises(RecordingError):
            _verify(sealed[:size], key)


def test_a_flip_in_an_unsealed_file_is_detected_or_cuts_the_end_visibly(
    unsealed: bytes, key: bytes
) -> None:
    whole = _read(unsealed, key, allow_unsealed=True)
    for bit in range(3, len(unsealed) * 8, 8):
        try:
            reader = RecordingReader(io.BytesIO(_flipped(unsealed, bit)), key, allow_unsealed=True)
            reader.verify()
        except RecordingError:
            continue
        assert reader.torn_bytes > 0
        assert whole.startswith(reader.readall())


@pytest.mark.parametrize("allow_unsealed", [True, False])
@pytest.mark.parametrize("added", [b"\0", bytes(16), bytes(SEGMENT_SIZE), bytes(5000)], ids=len)
def test_bytes_added_to_a_sealed_file_are_detected_even_when_unsealed_files_are_allowed(
    sealed: bytes, key: bytes, added: bytes, allow_unsealed: bool
) -> None:
    with pytest.raises(RecordingDamaged):
        _read(sealed + added, key, allow_unsealed=allow_unsealed)


def test_segments_of_another_recording_are_detected_at_every_place(
    sealed: bytes, other: bytes, key: bytes
) -> None:
    assert len(sealed) == len(other)
    for index in range(1, RecordingReader(io.BytesIO(sealed), key).segment_count - 1):
        start = RecordingReader(io.BytesIO(sealed), key).cipher.file_offset(index)
        spliced = sealed[:start] + other[start : start + SEGMENT_SIZE]
        with pytest.raises(RecordingDamaged) as caught:
            _verify(spliced + sealed[start + SEGMENT_SIZE :], key)
        assert caught.value.offset == start


def test_the_body_of_another_recording_behind_this_header_is_detected(
    sealed: bytes, record: Callable[..., bytes], key: bytes
) -> None:
    size = len(RecordingReader(io.BytesIO(sealed), key).cipher.header.encoded)
    altered = sealed[:size].replace(b"front_door", b"back_door_") + sealed[size:]
    with pytest.raises(RecordingDamaged):
        _verify(altered, key)


def test_a_wrong_key_is_named_as_such(sealed: bytes) -> None:
    with pytest.raises(WrongKey, match="written under key"):
        _verify(sealed, b"\1" * 32)


@st.composite
def _mutations(draw: st.DrawFn) -> Callable[[bytes, bytes], bytes]:
    """A function of a file and a foreign file to a changed file."""
    kind = draw(st.sampled_from(["replace", "delete", "insert", "move", "splice", "repeat"]))
    at, to = draw(st.integers(0, 1 << 16)), draw(st.integers(0, 1 << 16))
    size = draw(st.integers(1, 400))
    aligned = draw(st.booleans())
    noise = draw(st.binary(min_size=1, max_size=64))

    def mutate(data: bytes, foreign: bytes) -> bytes:
        unit = SEGMENT_SIZE if aligned else 1
        origin = len(data) % SEGMENT_SIZE if aligned else 0
        start = origin + at % len(data) // unit * unit
        goal = origin + to % len(data) // unit * unit
        end = start + (-(-size // unit) * unit)
        return {
            "replace": data[:start] + noise + data[start + len(noise) :],
            "delete": data[:start] + data[end:],
            "insert": data[:start] + noise + data[start:],
            "move": _moved(data, start, end, goal),
            "splice": data[:start] + foreign[start:end] + data[end:],
            "repeat": data[:end] + data[start:end] + data[end:],
        }[kind]

    return mutate


def _moved(data: bytes, start: int, end: int, goal: int) -> bytes:
    rest = data[:start] + data[end:]
    return rest[:goal] + data[start:end] + rest[goal:]


@settings(
    max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
@given(mutations=st.lists(_mutations(), min_size=1, max_size=3))
def test_composed_mutations_are_detected_or_change_nothing(
    sealed: bytes,
    other: bytes,
    key: bytes,
    mutations: list[Callable[[bytes, bytes], bytes]],
) -> None:
    changed = sealed
    for mutate in mutations:
        changed = mutate(changed, other) or b"\0"
    if changed in (sealed, other):
        return
    with pytest.raises(RecordingError):
        _verify(changed, key)


def test_a_torn_tail_of_any_length_is_left_out_of_an_unsealed_file(
    unsealed: bytes, key: bytes
) -> None:
    whole = _read(unsealed, key, allow_unsealed=True)
    for size in (1, SEGMENT_SIZE, 300 * SEGMENT_SIZE, 700 * SEGMENT_SIZE + 1):
        reader = RecordingReader(io.BytesIO(unsealed + bytes(size)), key, allow_unsealed=True)
        assert reader.torn_bytes == size
        assert reader.readall() == whole


def test_damage_costs_only_its_own_segment(sealed: bytes, key: bytes) -> None:
    whole = _read(sealed, key)
    cipher = RecordingReader(io.BytesIO(sealed), key).cipher
    reader = RecordingReader(io.BytesIO(_flipped(sealed, 8 * (cipher.file_offset(3) + 5))), key)
    begin, end = cipher.plain_offset(3), cipher.plain_offset(4)
    assert reader.read(len(whole)) == whole[:begin]
    with pytest.raises(RecordingDamaged) as caught:
        reader.read(1)
    assert caught.value.offset == cipher.file_offset(3)
    reader.seek(end)
    assert reader.read() == whole[end:]
