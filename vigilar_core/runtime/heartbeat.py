"""Heartbeats: one word of shared memory for each loop, written by that loop alone.

The file lies in the runtime folder and holds :data:`SLOTS` unsigned 8-byte words, the
monotonic time of the last beat in nanoseconds; 0 means no beat yet. A store of an aligned
8-byte word is one instruction, so nothing needs a lock. (``struct.pack_into`` clears its target
first, which a reader could see.)
"""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

#: How many loops one installation can watch; two pages.
SLOTS = 1024
_WORD_BYTES = 8


class Heartbeats:
    """The supervisor's side: makes the file, reads and clears slots.

    :param path: the file; an old one is replaced, never reused
    """

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._map = _map(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        self._words = memoryview(self._map).cast("Q")

    def age_s(self, slot: int) -> float | None:
        """Seconds since the last beat; ``None`` before the first."""
        beat_ns = self._words[slot]
        return (time.monotonic_ns() - beat_ns) / 1e9 if beat_ns else None

    def clear(self, slot: int) -> None:
        """Forget the beats of whoever had the slot before."""
        self._words[slot] = 0

    def close(self) -> None:
        self._words.release()
        self._map.close()


class Beat:
    """A loop's side: its own slot and no other.

    :param path: the file that the supervisor made
    :param slot: 0 to ``SLOTS - 1``
    """

    def __init__(self, path: Path, slot: int) -> None:
        if not 0 <= slot < SLOTS:
            raise ValueError(f"there is no heartbeat slot {slot}")
        self._words = memoryview(_map(path, os.O_RDWR)).cast("Q")
        self._slot = slot

    def __call__(self) -> None:
        """The loop is alive now."""
        self._words[self._slot] = time.monotonic_ns()


def _map(path: Path, flags: int) -> mmap.mmap:
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        if flags & os.O_CREAT:
            os.posix_fallocate(descriptor, 0, SLOTS * _WORD_BYTES)
        return mmap.mmap(descriptor, SLOTS * _WORD_BYTES)
    finally:
        os.close(descriptor)
