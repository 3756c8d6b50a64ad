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

Words are loaded and stored through a ``memoryview`` of 8-byte items, a single instruction
each; ``struct.pack_into`` would not do, it clears its target first. Between the counter and
the data stands a pass through a lock, whose atomic operations keep the order of loads and
stores also on ARM. The space of a ring is reserved when it is made: on a full file system
that fails with ``ENOSPC``, where a write to a hole would end the process with ``SIGBUS``.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_MAGIC = b"VGRING01"
_FILE = struct.Struct("<8sQQQ32x")
_SLOT = struct.Struct("<QQQQII")
_SIZES = struct.Struct("<II")
_SIZES_OFFSET = 32
_WRITTEN_WORD = 3
_WORD_BYTES = 8
_PAGE = 4096
#: A reader gives up for now when the newest entry was overwritten this often while it copied.
_ATTEMPTS = 8
_fence = threading.Lock()


def _keep_order() -> None:
    """Nothing loaded or stored before is reordered with anything after (release, acquire)."""
    with _fence:
        pass
    with _fence:
        pass


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
    :raises OSError: there is no room for the ring; also when it has to grow
    """

    def __init__(self, path: Path, *, slots: int = 4, slot_bytes: int = 1 << 16) -> None:
        if slots < 2:
            raise ValueError("a ring needs at least 2 slots")
        self._path = path
        self._slots = slots
        self._map: mmap.mmap | None = None
        self._words = memoryview(b"").cast("Q")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open_generation(slot_bytes)

    def _open_generation(self, slot_bytes: int) -> None:
        size = -(-(slot_bytes + _SLOT.size) // _PAGE) * _PAGE
        previous = _current_file(self._path)
        number = int(previous.suffix[1:]) + 1 if previous else 1
        target = self._path.with_name(f"{self._path.name}.{number}")
        new_map = _reserve(target, _PAGE + self._slots * size)
        new_map[: _FILE.size] = _FILE.pack(_MAGIC, self._slots, size, 0)
        pointer = self._path.with_name(f".{self._path.name}.new")
        pointer.write_text(target.name)
        pointer.replace(self._path)
        self._unmap()
        self._map, self._words = new_map, memoryview(new_map).cast("Q")
        self._slot_size, self._written = size, 0
        if previous is not None:
            previous.unlink(missing_ok=True)

    def _unmap(self) -> None:
        if self._map is not None:
            self._words.release()
            self._map.close()
            self._map = None

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
        target, words, number = self._map, self._words, self._written + 1
        start = _PAGE + (number - 1) % self._slots * self._slot_size
        word = start // _WORD_BYTES
        words[word] += 1
        _keep_order()
        words[word + 1], words[word + 2], words[word + 3] = number, time_us, monotonic_ns
        _SIZES.pack_into(target, start + _SIZES_OFFSET, len(note), len(payload))
        body = start + _SLOT.size
        target[body : body + len(note)] = note
        target[body + len(note) : body + needed] = payload
        _keep_order()
        words[word] += 1
        words[_WRITTEN_WORD] = self._written = number
        return number

    def close(self) -> None:
        """Remove the ring; readers see it gone."""
        if self._map is None:
            return
        current = _current_file(self._path)
        self._path.unlink(missing_ok=True)
        if current is not None:
            current.unlink(missing_ok=True)
        self._unmap()

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
        self._words = memoryview(b"").cast("Q")
        self._slots = self._slot_size = 0
        self._seen = 0
        self._began = False
        #: Entries that came after this reader's first one and were overwritten before it read them.
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
        if (geometry := _geometry(new_map)) is None:
            new_map.close()
            return False
        slots, size = geometry
        self.close()
        self._map, self._name, self._slots, self._slot_size = new_map, current.name, slots, size
        self._words = memoryview(new_map)[: _PAGE + slots * size].cast("Q")
        self._seen = 0
        return True

    def _written(self) -> int:
        return self._words[_WRITTEN_WORD]

    def _came_to(self, number: int) -> None:
        """The next entry is ``number``: those between were missed, unless it is the first."""
        if self._began:
            self.skipped += number - self._seen - 1
        self._began, self._seen = True, number

    def latest(self) -> RingEntry | None:
        """The newest entry, unless this reader has it already."""
        if not self._follow():
            return None
        for _ in range(_ATTEMPTS):
            if (number := self._written()) <= self._seen:
                return None
            if (entry := self._read(number)) is not None:
                self._came_to(number)
                return entry
        return None

    def following(self) -> Iterator[RingEntry]:
        """Entries not seen yet, oldest first; those already overwritten are counted."""
        if not self._follow():
            return
        while (written := self._written()) > self._seen:
            oldest = max(self._seen + 1, written - self._slots + 1)
            entry = self._read(oldest)
            self._came_to(oldest)
            if entry is None:
                self.skipped += 1
            else:
                yield entry

    def _read(self, number: int) -> RingEntry | None:
        assert self._map is not None
        start = _PAGE + (number - 1) % self._slots * self._slot_size
        word = start // _WORD_BYTES
        lock = self._words[word]
        _keep_order()
        found, time_us, monotonic_ns = self._words[word + 1 : word + 4]
        note_size, size = _SIZES.unpack_from(self._map, start + _SIZES_OFFSET)
        if found != number or _SLOT.size + note_size + size > self._slot_size:
            return None
        body = start + _SLOT.size
        data = self._map[body : body + note_size + size]
        _keep_order()
        if self._was_written_meanwhile(lock, word):
            return None
        return RingEntry(number, time_us, monotonic_ns, data[:note_size], data[note_size:])

    def _was_written_meanwhile(self, lock: int, word: int) -> bool:
        return bool(lock % 2) or self._words[word] != lock

    def close(self) -> None:
        if self._map is not None:
            self._words.release()
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


def _geometry(ring: mmap.mmap) -> tuple[int, int] | None:
    """Number and size of the slots; ``None`` when the file is no ring."""
    if len(ring) < _PAGE:
        return None
    magic, slots, size, _ = _FILE.unpack_from(ring, 0)
    sound = magic == _MAGIC and slots >= 2 and size >= _PAGE and size % _PAGE == 0
    return (slots, size) if sound and len(ring) >= _PAGE + slots * size else None


def _reserve(path: Path, size: int) -> mmap.mmap:
    """A new mapped file whose blocks exist already."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    try:
        os.posix_fallocate(descriptor, 0, size)
        return mmap.mmap(descriptor, size)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
