"""Gives every packet times that hold: none missing, rising, and tied to the clocks of the house.

What cameras send as time stamps starts anywhere, is missing at first, jumps, and drifts. Arrival
times jitter. Here the camera's own rhythm is kept and anchored to the moment at which its packets
reach the live edge; a slow correction follows the drift between the two crystals.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

#: A disagreement larger than this between stamp and arrival is a jump of the camera's clock.
JUMP_S = 1.0
#: Fastest correction of drift; crystals differ by 0.0001 at most.
_SLEW_PER_S = 0.0005
#: Stamps may fall back by this much without being a jump (lost and repeated packets).
_FALL_BACK_S = 0.2
#: How long a large error must last before it is believed.
_DOUBT_S = 1.0
_DEFAULT_INTERVAL_S = 0.04
_WIDEST_REORDER_S = 2.0


class Stamp(NamedTuple):
    """`pts` and `dts` in ticks since the session's origin, and the presentation time in seconds."""

    pts: int
    dts: int
    monotonic_s: float


class StreamClock:
    """The times of one stream.

    Parameters: `time_base` the length of a tick in seconds; `origin_s` the monotonic time that all
    streams of the session count from. Stamps of different streams are comparable.
    """

    def __init__(self, time_base: Fraction, origin_s: float) -> None:
        self._seconds = float(time_base)
        self._fall_back = self._ticks(_FALL_BACK_S)
        self._widest_reorder = self._ticks(_WIDEST_REORDER_S)
        self._origin_s = origin_s
        self._shift: int | None = None
        self._last_in: int | None = None
        self._last_out: int | None = None
        self._interval = max(1, round(_DEFAULT_INTERVAL_S / self._seconds))
        self._last_follow_s: float | None = None
        self._doubt: tuple[float, float] | None = None
        #: Seconds added to the camera's own rhythm so far.
        self.correction_s = 0.0

    def anchor(self, samples: Iterable[tuple[int | None, float]]) -> None:
        """Fix the origin from the first packets: pairs of decoding time and arrival.

        The smallest delay among them is the truest; packets that a server had kept for a new
        client arrive at once and seem late.
        """
        known = [(dts, arrival_s) for dts, arrival_s in samples if dts is not None]
        steps = [b[0] - a[0] for a, b in pairwise(known) if b[0] > a[0]]
        if steps:
            self._interval = min(sorted(steps)[len(steps) // 2], self._widest_reorder)
        if known:
            self._shift = min(self._ticks(at - self._origin_s) - dts for dts, at in known)

    def fill_first(self, times: list[tuple[int | None, int | None]]) -> list[tuple[int, int]]:
        """Complete (pts, dts) of the first packets backwards from the first known one."""
        first = next((n for n, (pts, dts) in enumerate(times) if (pts, dts) != (None, None)), None)
        if first is None:
            return [(n * self._interval, n * self._interval) for n in range(len(times))]
        pts, dts = times[first]
        base = dts if dts is not None else pts or 0
        filled = [(base - (first - n) * self._interval,) * 2 for n in range(first)]
        last = base - self._interval
        for pts, dts in times[first:]:
            last = dts if dts is not None else last + self._interval
            filled.append((pts if pts is not None else last, last))
        return filled

    def stamp(self, pts: int | None, dts: int | None, arrival_s: float) -> Stamp:
        """Return the times of the next packet in decoding order; missing ones are made up."""
        if dts is None:
            dts = (self._last_in + self._interval) if self._last_in is not None else pts or 0
        out = self._continue(dts, arrival_s)
        lead = (pts if pts is not None else dts) - dts
        lead = max(0, min(lead, self._widest_reorder))
        monotonic_s = self._origin_s + (out + lead) * self._seconds + self.correction_s
        return Stamp(out + lead, out, monotonic_s)

    def follow(self, lag_s: float, arrival_s: float, doubt_s: float = 0.0) -> float:
        """Learn from a packet read at the live edge: `lag_s` is arrival minus its own time stamp.

        The lag may be too large by `doubt_s`. Small differences are followed slowly; a large one
        that lasts moves the anchor, and the gap is kept. Returns the seconds by which the times to
        come were moved.
        """
        if self._shift is None:
            return 0.0
        error_s = lag_s - (self._shift * self._seconds + self._origin_s + self.correction_s)
        error_s -= min(max(error_s, 0.0), doubt_s)
        elapsed_s = arrival_s - (self._last_follow_s or arrival_s)
        self._last_follow_s = arrival_s
        if abs(error_s) > JUMP_S:
            return self._consider_move(error_s, arrival_s)
        self._doubt = None
        most = _SLEW_PER_S * max(0.0, elapsed_s)
        moved_s = max(-most, min(most, error_s))
        self.correction_s += moved_s
        return moved_s

    def accompany(self, moved_s: float) -> None:
        """Make the small correction that another stream of the same camera has made."""
        if abs(moved_s) <= JUMP_S:
            self.correction_s += moved_s

    def _consider_move(self, error_s: float, arrival_s: float) -> float:
        """Move the anchor once the same large error is seen again; a backlog passes before that."""
        if self._doubt is None or abs(error_s - self._doubt[0]) > JUMP_S / 2:
            self._doubt = error_s, arrival_s
        elif arrival_s - self._doubt[1] >= _DOUBT_S:
            self._shift = (self._shift or 0) + self._ticks(error_s)
            self._doubt = None
            return error_s
        return 0.0

    def _continue(self, dts: int, arrival_s: float) -> int:
        previous_in, self._last_in = self._last_in, dts
        if self._shift is None or self._has_jumped(dts, previous_in, arrival_s):
            self._shift = self._ticks(arrival_s - self._origin_s) - dts
        elif previous_in is not None and 0 < dts - previous_in < self._widest_reorder:
            self._interval = dts - previous_in
        out = dts + self._shift
        if self._last_out is not None and out <= self._last_out:
            out = self._last_out + 1
        self._last_out = out
        return out

    def _has_jumped(self, dts: int, previous_in: int | None, arrival_s: float) -> bool:
        if previous_in is not None and dts < previous_in - self._fall_back:
            return True
        early_s = (dts + (self._shift or 0)) * self._seconds - (arrival_s - self._origin_s)
        return early_s > JUMP_S

    def _ticks(self, seconds: float) -> int:
        return round(seconds / self._seconds)
