"""Noticing that the wall clock was set. Pure."""

from __future__ import annotations

from typing import Final

from vigilar_core.clock import Clock

#: Less is the slewing of a time service, seconds.
_THRESHOLD_S: Final = 1.0


class ClockWatch:
    """Compares the wall clock with the one that never jumps, from call to call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._difference_s = self._now_s()

    def jump_s(self) -> float | None:
        """By how much the clock was set since the last call, forwards positive."""
        before, self._difference_s = self._difference_s, self._now_s()
        jump_s = self._difference_s - before
        return jump_s if abs(jump_s) > _THRESHOLD_S else None

    def _now_s(self) -> float:
        return self._clock.time_us() / 1e6 - self._clock.monotonic_s()
