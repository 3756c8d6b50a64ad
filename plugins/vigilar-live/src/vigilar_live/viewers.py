"""Viewers in the web process: how many there are, and the word to the cameras that they exist."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from vigilar_core.bus import Bus
from vigilar_core.clock import Clock
from vigilar_live.watching import WATCH_REPEAT_S, Mode, watch_topic


class TooManyViewersError(Exception):
    """The limit of ``[live] max_viewers`` is reached."""


class Viewers:
    """Counts open views and tells each watched camera, at most once every few seconds."""

    def __init__(self, bus: Bus, clock: Clock, limit: int) -> None:
        self._bus = bus
        self._clock = clock
        self._limit = limit
        self._lock = threading.Lock()
        self._open = 0
        self._told: dict[tuple[str, Mode], float] = {}

    @contextmanager
    def view(self) -> Iterator[None]:
        """Hold one place for as long as somebody watches.

        :raises TooManyViewersError: all places are taken
        """
        with self._lock:
            if self._open >= self._limit:
                raise TooManyViewersError
            self._open += 1
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1

    def tell(self, camera_id: str, mode: Mode) -> None:
        """Say that somebody watches; cheap enough for every request."""
        now = self._clock.monotonic_s()
        with self._lock:
            if now - self._told.get((camera_id, mode), -WATCH_REPEAT_S) < WATCH_REPEAT_S:
                return
            self._told[camera_id, mode] = now
        self._bus.publish_state(watch_topic(camera_id), {"mode": mode.value})
