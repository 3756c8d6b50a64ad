"""Notices that somebody set the wall clock."""

from __future__ import annotations

from vigilar_core.clock import Clock

#: Smaller steps are ordinary corrections of the time service.
WORTH_TELLING_S = 2.0


class ClockWatch:
    """Compares the wall clock with the monotonic one; only durations use the latter."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_s = self._offset()

    def jump_s(self) -> float | None:
        """By how many seconds the wall clock jumped since the last call, if it is worth telling.

        Slow drift is followed silently.
        """
        offset_s = self._offset()
        jump_s, self._offset_s = offset_s - self._offset_s, offset_s
        return jump_s if abs(jump_s) >= WORTH_TELLING_S else None

    def _offset(self) -> float:
        return self._clock.time_us() / 1e6 - self._clock.monotonic_s()
