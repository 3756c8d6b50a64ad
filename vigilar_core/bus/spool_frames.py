"""Frames of a spool file: how an event is written so that damage is noticed and stepped over.

A frame is a marker, a rank of severity, the length and CRC-32 of its body, and the body: JSON in
ASCII, so that the marker cannot occur inside it and reading finds its feet after damaged bytes.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from vigilar_core.bus.envelope import MAX_BYTES

_MARKER: Final = b"\xf5\xe7"
_HEAD = struct.Struct(">2sBII")
#: Read at first, and when one frame does not fit that.
_CHUNK_BYTES: Final = 64 * 1024
_LONG_CHUNK_BYTES: Final = MAX_BYTES + _HEAD.size


@dataclass(frozen=True, slots=True)
class Frame:
    """One sound frame.

    :param offset: where it starts in the file
    :param end: where the next one may start
    :param rank: of its severity, 0 is the least
    """

    offset: int
    end: int
    rank: int
    body: bytes


def encode_frame(rank: int, body: bytes) -> bytes:
    """The bytes of a frame."""
    return _HEAD.pack(_MARKER, rank, len(body), zlib.crc32(body, rank)) + body


def scan_frames(descriptor: int, start: int, stop: int) -> Iterator[Frame]:
    """Every sound frame between two offsets of a file, in order, stepping over what is none."""
    offset, size = start, _CHUNK_BYTES
    while offset < stop:
        chunk = os.pread(descriptor, min(size, stop - offset), offset)
        if not chunk:
            return
        position = 0
        while (frame := _frame_at(chunk, position, offset)) is not None:
            yield frame
            position = frame.end - offset
        if position > 0:
            size = _CHUNK_BYTES
        elif size == _CHUNK_BYTES and len(chunk) == size:
            size = _LONG_CHUNK_BYTES
        else:
            # Every frame fits a long chunk, so what stands here is none.
            position, size = _next_marker(chunk), _CHUNK_BYTES
        offset += position


def _frame_at(chunk: bytes, position: int, base: int) -> Frame | None:
    start = position + _HEAD.size
    if start > len(chunk):
        return None
    marker, rank, length, checksum = _HEAD.unpack_from(chunk, position)
    body = chunk[start : start + length]
    if marker != _MARKER or len(body) != length or zlib.crc32(body, rank) != checksum:
        return None
    return Frame(base + position, base + start + length, rank, body)


def _next_marker(chunk: bytes) -> int:
    found = chunk.find(_MARKER, 1)
    if found > 0:
        return found
    # The first byte of a marker may be the last of this chunk.
    return max(1, len(chunk) - 1) if chunk.endswith(_MARKER[:1]) else len(chunk)
