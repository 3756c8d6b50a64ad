"""The inbox: where the network thread puts what arrives, bounded, with a descriptor to wait on."""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import Final

#: Messages and bytes kept for a loop that is busy; beyond, the oldest are dropped.
LIMIT: Final = 20_000
LIMIT_BYTES: Final = 32 * 1024 * 1024


class Inbox:
    """A queue with one reader. Its descriptor is readable while something waits."""

    def __init__(self, *, limit: int = LIMIT, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._messages: deque[tuple[str, bytes]] = deque()
        self._size_bytes = 0
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._signalled = False
        #: Messages that found no room.
        self.dropped = 0

    def fileno(self) -> int:
        return self._descriptor

    def put(self, topic: str, payload: bytes) -> None:
        """Keep a message; from any thread."""
        with self._lock:
            self._messages.append((topic, payload))
            self._size_bytes += len(payload)
            while len(self._messages) > self._limit or self._size_bytes > self._limit_bytes:
                self._size_bytes -= len(self._messages.popleft()[1])
                self.dropped += 1
            self._signal()

    def kick(self) -> None:
        """Wake the reader without a message."""
        with self._lock:
            self._signal()

    def get(self) -> tuple[str, bytes] | None:
        """The oldest message, ``None`` when there is none."""
        with self._lock:
            if not self._messages:
                return None
            message = self._messages.popleft()
            self._size_bytes -= len(message[1])
            return message

    def settle(self, *, more: bool) -> None:
        """End a round of reading: the descriptor stays readable if there is more to do."""
        with self._lock:
            if self._messages or more:
                self._signal()
            elif self._signalled:
                os.eventfd_read(self._descriptor)
                self._signalled = False

    def close(self) -> None:
        os.close(self._descriptor)

    def _signal(self) -> None:
        if not self._signalled:
            os.eventfd_write(self._descriptor, 1)
            self._signalled = True
