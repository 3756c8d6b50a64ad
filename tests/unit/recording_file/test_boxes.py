"""Walking and building ISO BMFF boxes."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_core.recording_file import NotPlayable
from vigilar_core.recording_file.boxes import find, free_box, make_box, make_full_box, payload, walk

_kinds = st.binary(min_size=4, max_size=4)


@given(st.lists(st.tuples(_kinds, st.binary(max_size=50))), st.integers(0, 30))
def test_the_walk_yields_all_whole_boxes_and_stops_at_a_torn_one(
    boxes: list[tuple[bytes, bytes]], cut: int
) -> None:
    data = b"".join(make_box(kind, body) for kind, body in boxes)
    torn = data[: max(0, len(data) - cut)]
    found = [(box.type, payload(torn, box)) for box in walk(io.BytesIO(torn))]
    assert found == boxes[: len(found)]
    left = b"".join(make_box(kind, body) for kind, body in boxes[len(found) :])
    assert len(data) - len(left) <= len(torn)
    if len(found) < len(boxes):
        assert len(torn) < len(data) - len(left) + 8 + len(boxes[len(found)][1])


@given(st.binary(max_size=300))
def test_noise_never_makes_the_walk_endless_or_raise_anything_else(noise: bytes) -> None:
    try:
        boxes = list(walk(io.BytesIO(noise)))
    except NotPlayable:
        return
    assert sum(box.size_bytes for box in boxes) <= len(noise)


def test_a_64_bit_size_and_a_size_to_the_end_are_understood() -> None:
    large = struct.pack(">I4sQ", 1, b"mdat", 20) + b"four"
    rest = struct.pack(">I4s", 0, b"mdat") + b"to the end"
    data = large + rest
    assert [payload(data, box) for box in walk(io.BytesIO(data))] == [b"four", b"to the end"]


def test_a_box_smaller_than_its_header_is_refused() -> None:
    with pytest.raises(NotPlayable, match="size of 7"):
        list(walk(io.BytesIO(struct.pack(">I4s", 7, b"mdat") + bytes(20))))


def test_boxes_are_found_by_their_path() -> None:
    inner = [make_box(b"tkhd", bytes([n])) for n in range(3)]
    data = make_box(b"moov", make_box(b"mvhd"), *(make_box(b"trak", box) for box in inner))
    found = [payload(data, box) for box in find(data, b"moov", b"trak", b"tkhd")]
    assert found == [b"\0", b"\1", b"\2"]


def test_a_full_box_carries_version_and_flags() -> None:
    assert make_full_box(b"mehd", 1, 0x020304, b"x")[8:] == b"\1\2\3\4x"


@pytest.mark.parametrize("size", [8, 9, 4087])
def test_a_free_box_has_the_size_asked_for(size: int) -> None:
    assert len(free_box(size)) == size
    assert next(walk(io.BytesIO(free_box(size)))).end == size
