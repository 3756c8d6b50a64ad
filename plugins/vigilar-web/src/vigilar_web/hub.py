"""Committed events on their way from the bus to the browsers that listen."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from vigilar_core.events import Event

#: Events that wait for one slow listener before it is sent back to the database.
WAITING_MAX = 256


class Listener:
    """A bounded queue for one browser; when it overflows the listener reads the store again."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Event | None] = queue.Queue(WAITING_MAX)
        self._overflowed = threading.Event()
        self._closed = threading.Event()

    @property
    def closed(self) -> bool:
        """Whether the server ends."""
        return self._closed.is_set()

    def overflowed(self) -> bool:
        """Whether events were dropped since the last call; the queue is empty then."""
        if not self._overflowed.is_set():
            return False
        while not self._queue.empty():
            self._queue.get_nowait()
        self._overflowed.clear()
        return True

    def get(self, timeout_s: float) -> Event | None:
        """The next event; ``None`` when none came in time or the server ends."""
        try:
            return self._queue.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def offer(self, event: Event) -> None:
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self._overflowed.set()

    def close(self) -> None:
        self._closed.set()
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            pass  # the listener has something to wake up for


class EventHub:
    """Hands each committed event to every listener, in the caller's thread, never waiting."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        self._closed = False

    def publish(self, event: Event) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.offer(event)

    @contextmanager
    def listen(self) -> Iterator[Listener]:
        """A listener for as long as the context is open."""
        listener = Listener()
        with self._lock:
            if self._closed:
                listener.close()
            self._listeners.add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def close(self) -> None:
        """End every listener, and those to come."""
        with self._lock:
            self._closed = True
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.close()

    def reopen(self) -> None:
        """Take listeners again, after the server has begun anew."""
        with self._lock:
            self._closed = False

    @property
    def listeners(self) -> int:
        """How many listen now."""
        with self._lock:
            return len(self._listeners)
