"""A clock that a test turns by hand."""

from __future__ import annotations


class FakeClock:
    """Stands still until advanced; the wall clock can jump by itself.

    :param time_us: wall-clock time at the start, microseconds since 1970 UTC
    """

    def __init__(self, time_us: int = 1_767_225_600_000_000, monotonic_s: float = 1000.0) -> None:
        self._time_us = time_us
        self._monotonic_s = monotonic_s

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def time_us(self) -> int:
        return self._time_us

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._monotonic_s += seconds
        self._time_us += round(seconds * 1e6)

    def jump(self, seconds: float) -> None:
        """Set the wall clock only, as NTP or a person would."""
        self._time_us += round(seconds * 1e6)
