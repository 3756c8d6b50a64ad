"""ISO base media file format (ISO/IEC 14496-12): finding and building boxes.

A box is a size (4 bytes, big-endian, itself included), a type (4 letters) and a payload. Size 1
puts the real size into 8 bytes behind the type, size 0 means "to the end of the file". A full
box begins its payload with a version (1) and flags (3).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from vigilar_core.recording_file.errors import NotPlayable


class Seekable(Protocol):
    """What the helpers here need of a file."""

    def seek(self, offset: int, whence: int = 0, /) -> int: ...

    def read(self, size: int = -1, /) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box lies in its file, in bytes."""

    type: bytes
    offset: int
    header_size: int
    size_bytes: int

    @property
    def payload_offset(self) -> int:
        """Position of the first byte behind size and type."""
        return self.offset + self.header_size

    @property
    def end(self) -> int:
        """Position of the first byte behind the box."""
        return self.offset + self.size_bytes


def walk(file: Seekable, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes between two positions, one after the other.

    A box that reaches beyond the end, as a killed writer leaves it, ends the walk.

    Parameters:
        file: readable and seekable; its position is moved.
        start: position of the first box in bytes.
        end: position behind the last box; the end of the file when None.

    Raises:
        NotPlayable: a box is smaller than its own header.
    """
    stop = file.seek(0, io.SEEK_END) if end is None else end
    offset = start
    while offset + 8 <= stop:
        box = _box_at(offset, read_range(file, offset, min(16, stop - offset)), stop)
        if box is None or box.end > stop:
            return
        yield box
        offset = box.end


def _box_at(offset: int, head: bytes, stop: int) -> Box | None:
    size, kind = struct.unpack_from(">I4s", head)
    header_size = 8
    if size == 1:
        if len(head) < 16:
            return None
        size, header_size = struct.unpack_from(">Q", head, 8)[0], 16
    elif size == 0:
        size = stop - offset
    if size < header_size:
        raise NotPlayable(f"box {kind!r} at {offset} claims a size of {size} bytes")
    return Box(kind, offset, header_size, size)


def children(data: bytes, parent: Box) -> Iterator[Box]:
    """Yield the boxes inside a container box that lies in memory."""
    return walk(io.BytesIO(data), parent.payload_offset, parent.end)


def find(data: bytes, *path: bytes) -> Iterator[Box]:
    """Yield the boxes at a path of types, such as ``find(moov, b"moov", b"trak")``."""
    found = (box for box in walk(io.BytesIO(data)) if box.type == path[0])
    for box in found:
        yield from _descend(data, box, path[1:])


def _descend(data: bytes, box: Box, path: tuple[bytes, ...]) -> Iterator[Box]:
    if not path:
        yield box
        return
    for child in children(data, box):
        if child.type == path[0]:
            yield from _descend(data, child, path[1:])


def payload(data: bytes, box: Box) -> bytes:
    """Return what stands behind size and type of a box that lies in memory."""
    return data[box.payload_offset : box.end]


def read_range(file: Seekable, offset: int, size: int) -> bytes:
    """Return a part of a file; shorter only at its end."""
    file.seek(offset)
    return file.read(size) or b""


def make_box(kind: bytes, *payloads: bytes) -> bytes:
    """Return a box of under 4 GiB."""
    body = b"".join(payloads)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def make_full_box(kind: bytes, version: int, flags: int, *payloads: bytes) -> bytes:
    """Return a box whose payload begins with a version and flags."""
    return make_box(kind, struct.pack(">I", version << 24 | flags), *payloads)


def free_box(size_bytes: int) -> bytes:
    """Return a box that players skip.

    Parameters:
        size_bytes: size of the whole box, at least 8.
    """
    return make_box(b"free", bytes(size_bytes - 8))
