"""Time, handed in wherever it is needed so that tests can hand in another."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one for durations, which never jumps, and one for people."""

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary start; comparable between processes of one boot."""

    def time_us(self) -> int:
        """Wall-clock time, microseconds since 1970-01-01T00:00Z; may jump."""


class SystemClock:
    """The clocks of the kernel (``CLOCK_MONOTONIC`` and ``CLOCK_REALTIME``, POSIX.1)."""

    def monotonic_s(self) -> float:
        return time.monotonic()

    def time_us(self) -> int:
        return time.time_ns() // 1000
