"""The time of day of a moment on the monotonic clock."""

from __future__ import annotations

#: A difference beyond this is a jump of the wall clock (set by hand or by NTP) and is taken over.
_STEP_US = 500_000
#: Below it the wall clock is followed at this rate, faster than NTP slews (0.0005).
_SLEW_PER_S = 0.001


class WallClock:
    """Maps monotonic to wall-clock time: steady while that is steered, quick when it jumps.

    Parameters: one reading of both clocks, in seconds and in µs since 1970 UTC.
    """

    def __init__(self, monotonic_s: float, time_us: int) -> None:
        self._offset_us = time_us - round(monotonic_s * 1e6)
        self._updated_s = monotonic_s

    def update(self, monotonic_s: float, time_us: int) -> bool:
        """Take another reading of both clocks; return whether the wall clock has jumped."""
        error_us = time_us - round(monotonic_s * 1e6) - self._offset_us
        elapsed_s, self._updated_s = monotonic_s - self._updated_s, monotonic_s
        if abs(error_us) > _STEP_US:
            self._offset_us += error_us
            return True
        most = round(max(0.0, elapsed_s) * _SLEW_PER_S * 1e6)
        self._offset_us += max(-most, min(most, error_us))
        return False

    def time_us(self, monotonic_s: float) -> int:
        """µs since 1970 UTC at `monotonic_s`."""
        return round(monotonic_s * 1e6) + self._offset_us
