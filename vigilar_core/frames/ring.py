"""A ring of byte slots in a memory-mapped file: one writer, any number of readers.

The writer never waits; a reader that is too slow misses entries and can count them. A slot
is guarded by a sequence lock: the writer makes its counter odd, copies, makes it even; a
reader that sees it odd or changed tries again. A ring of another geometry is another file
(a new *generation*), announced in a small pointer file that is replaced atomically, so a
reader can never look at old memory through a new shape.

====== ===== =========================================================
offset bytes header of the file
====== ===== =========================================================
0      8     magic ``VGRING01``
8      8     number of slots
16     8     size of a slot in bytes, header of the slot included
24     8     entries written so far; entry *n* (from 1) is in slot ``(n-1) % slots``
32     32    reserved
====== ===== =========================================================

Each slot: 8 bytes lock counter, 8 bytes entry number, 8 bytes wall time in µs, 8 bytes
monotonic time in ns, 4 bytes length of the note, 4 bytes length of the payload, then the
note (small JSON or text) and the payload.

Loads and stores of aligned 8-byte words are single instructions on the 64-bit platforms
CPython supports; x86-64 keeps stores in order, and the counter is checked on both sides.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_MAGIC = b"VGRING01"
_FILE = struct.Struct("<8sQQQ32x")
_SLOT = struct.Struct("<QQQQII")
_WORD = struct.Struct("<Q")
_WRITTEN_OFFSET = 24
_PAGE = 4096


@dataclass(frozen=True, slots=True)
class RingEntry:
    """One entry, copied out of the ring.

    :param number: 1 for the first, rising by one
    :param time_us: wall-clock time given by the writer
    :param monotonic_ns: monotonic time given by the writer
    """

    number: int
    time_us: int
    monotonic_ns: int
    note: bytes
    payload: bytes


class RingWriter:
    """The one writer of a ring; grows into a new generation when an entry does not fit.

    :param path: pointer file; generations lie beside it as ``NAME.1``, ``NAME.2`` …
    :param slots: at least 2
    :param slot_bytes: payload and note that fit at first
    """

    def __init__(self, path: Path, *, slots: int = 4, slot_bytes: int = 1 << 16) -> None:
        if slots < 2:
            raise ValueError("a ring needs at least 2 slots")
        self._path = path
        self._slots = slots
        self._map: mmap.mmap | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open_generation(slot_bytes)

    def _open_generation(self, slot_bytes: int) -> None:
        size = -(-(slot_bytes + _SLOT.size) // _PAGE) * _PAGE
        previous = _current_file(self._path)
        number = int(previous.suffix[1:]) + 1 if previous else 1
        target = self._path.with_name(f"{self._path.name}.{number}")
        descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o640)
        try:
            os.ftruncate(descriptor, _PAGE + self._slots * size)
            new_map = mmap.mmap(descriptor, 0)
        finally:
            os.close(descriptor)
        new_map[: _FILE.size] = _FILE.pack(_MAGIC, self._slots, size, 0)
        pointer = self._path.with_name(f".{self._path.name}.new")
        pointer.write_text(target.name)
        pointer.replace(self._path)
        if self._map is not None:
            self._map.close()
        self._map, self._slot_size, self._written = new_map, size, 0
        if previous is not None:
            previous.unlink(missing_ok=True)

    def write(
        self,
        payload: bytes | memoryview,
        *,
        note: bytes = b"",
        time_us: int = 0,
        monotonic_ns: int = 0,
    ) -> int:
        """Add an entry and return its number; never waits for a reader."""
        needed = len(note) + len(payload)
        if needed + _SLOT.size > self._slot_size:
            self._open_generation(needed * 2)
        assert self._map is not None
        target, number = self._map, self._written + 1
        start = _PAGE + (number - 1) % self._slots * self._slot_size
        (lock,) = _WORD.unpack_from(target, start)
        _WORD.pack_into(target, start, lock + 1)
        _SLOT.pack_into(
            target, start, lock + 1, number, time_us, monotonic_ns, len(note), len(payload)
        )
        body = start + _SLOT.size
        target[body : body + len(note)] = note
        target[body + len(note) : body + needed] = payload
        _WORD.pack_into(target, start, lock + 2)
        _WORD.pack_into(target, _WRITTEN_OFFSET, number)
        self._written = number
        return number

    def close(self) -> None:
        """Remove the ring; readers see it gone."""
        if self._map is None:
            return
        current = _current_file(self._path)
        self._path.unlink(missing_ok=True)
        if current is not None:
            current.unlink(missing_ok=True)
        self._map.close()
        self._map = None

    def __enter__(self) -> RingWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class RingReader:
    """A reader of a ring; follows new generations and outlives the writer.

    :param path: the pointer file, which need not exist yet
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = ""
        self._map: mmap.mmap | None = None
        self._slots = self._slot_size = 0
        self._seen = 0
        #: Entries that were overwritten before this reader came to them.
        self.skipped = 0

    def _follow(self) -> bool:
        current = _current_file(self._path)
        if current is None:
            return False
        if current.name == self._name:
            return True
        try:
            with current.open("rb") as file:
                new_map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (FileNotFoundError, ValueError):
            return False
        magic, slots, size, _ = _FILE.unpack_from(new_map, 0)
        if magic != _MAGIC or len(new_map) < _PAGE + slots * size:
            new_map.close()
            return False
        self.close()
        self._map, self._name, self._slots, self._slot_size = new_map, current.name, slots, size
        self._seen = 0
        return True

    def _written(self) -> int:
        assert self._map is not None
        (count,) = _WORD.unpack_from(self._map, _WRITTEN_OFFSET)
        return int(count)

    def latest(self) -> RingEntry | None:
        """The newest entry, unless this reader has it already."""
        if not self._follow():
            return None
        while (number := self._written()) > self._seen:
            if (entry := self._read(number)) is not None:
                self.skipped += number - self._seen - 1
                self._seen = number
                return entry
        return None

    def following(self) -> Iterator[RingEntry]:
        """Entries not seen yet, oldest first; those already overwritten are counted."""
        if not self._follow():
            return
        while (written := self._written()) > self._seen:
            oldest = max(self._seen + 1, written - self._slots + 1)
            self.skipped += oldest - self._seen - 1
            entry = self._read(oldest)
            self._seen = oldest
            if entry is None:
                self.skipped += 1
            else:
                yield entry

    def _read(self, number: int) -> RingEntry | None:
        assert self._map is not None
        start = _PAGE + (number - 1) % self._slots * self._slot_size
        lock, found, time_us, monotonic_ns, note_size, size = _SLOT.unpack_from(self._map, start)
        if lock % 2 or found != number or _SLOT.size + note_size + size > self._slot_size:
            return None
        body = start + _SLOT.size
        data = self._map[body : body + note_size + size]
        (after,) = _WORD.unpack_from(self._map, start)
        if after != lock:
            return None
        return RingEntry(number, time_us, monotonic_ns, data[:note_size], data[note_size:])

    def close(self) -> None:
        if self._map is not None:
            self._map.close()
            self._map, self._name = None, ""


def _current_file(pointer: Path) -> Path | None:
    """The file of the present generation; ``None`` when there is no ring."""
    try:
        name = pointer.read_text()
    except FileNotFoundError:
        return None
    prefix, _, number = name.rpartition(".")
    return pointer.with_name(name) if prefix == pointer.name and number.isdigit() else None
