"""Knows when a stream has been read up to the present, so that reading on would wait.

Waking up is what costs most in reading a camera: FFmpeg makes several system calls for each RTP
packet. A source is therefore drained in ticks. A packet can be read without waiting once the
next one has begun to arrive, and because a camera sends in a regular rhythm that moment is known in
advance: the delay between a packet's media time and its arrival is nearly constant.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

_SLACK_S = 0.005
_PROBE_INTERVAL_S = 5.0
_LEAST_WAIT_S = 0.004
_WIDEST_INTERVAL_S = 2.0


@dataclass
class LiveEdge:
    """The rhythm of one stream; all times in seconds, arrivals on the monotonic clock.

    A drain begins with `begin`, alternates `expects` and `observe`, and finishes with `end`. Every
    few seconds a drain goes on until a read has to wait, which shows the true delay again.
    """

    _lags: deque[float] = field(default_factory=lambda: deque(maxlen=3))
    _intervals: deque[float] = field(default_factory=lambda: deque(maxlen=15))
    _last_media_s: float | None = None
    _interval_s: float | None = None
    _smallest: float | None = None
    _next_probe_s: float = 0.0
    _probing: bool = True
    _reached: bool = False

    @property
    def lag_s(self) -> float | None:
        """Arrival minus media time of a packet that is read as soon as it can be; None: unknown."""
        return min(self._lags) if self._lags else None

    @property
    def interval_s(self) -> float | None:
        """The usual time between two packets; None: unknown."""
        return self._interval_s

    @property
    def reached(self) -> bool:
        """Whether the present drain came to a read that had to wait."""
        return self._reached

    def begin(self, now_s: float) -> None:
        """Start a drain."""
        self._reached = False
        self._probing = not self._lags or now_s >= self._next_probe_s
        if self._intervals:
            self._interval_s = sorted(self._intervals)[len(self._intervals) // 2]

    def end(self, now_s: float) -> float | None:
        """Finish a drain.

        Returns the smallest lag since the last probe when this one met no read that had to wait:
        it is too large by less than an interval.
        """
        if not self._probing or not self._lags:
            return None
        self._next_probe_s = now_s + _PROBE_INTERVAL_S
        smallest, self._smallest = self._smallest, None
        if self._reached or smallest is None:
            return None
        interval = self.interval_s or 0.0
        if smallest > min(self._lags) + 2 * interval:
            self._lags.clear()
            self._lags.append(smallest - interval)
        return smallest

    def expects(self, now_s: float) -> bool:
        """Whether the next packet is there, as far as can be known."""
        if self._reached:
            return False
        lag, interval = self.lag_s, self.interval_s
        if self._probing or lag is None or interval is None or self._last_media_s is None:
            return True
        return now_s - (self._last_media_s + interval) >= lag - _SLACK_S

    def observe(self, media_s: float, arrival_s: float, waited_s: float) -> float | None:
        """Take note of a packet: its media time, when it was read, how long the read took.

        Returns the lag when the read had to wait, hence shows the live edge; else None.
        """
        previous, self._last_media_s = self._last_media_s, media_s
        step = 0.0 if previous is None else media_s - previous
        if 0 < step < _WIDEST_INTERVAL_S:
            self._intervals.append(step)
            if self._interval_s is None:
                self._interval_s = step
        elif step:
            # The camera's clock has jumped, and with it the delay.
            self._lags.clear()
            self._probing = True
        interval = self.interval_s
        lag = arrival_s - media_s
        self._smallest = lag if self._smallest is None else min(lag, self._smallest)
        if waited_s < max(_LEAST_WAIT_S, 0.25 * (interval or 0.0)):
            if self._lags and lag < min(self._lags):
                self._lags.append(lag)
            return None
        known = self.lag_s
        if known is not None and abs(lag - known) > 2 * (interval or 0.1):
            self._lags.clear()
        self._lags.append(lag)
        self._reached = True
        return lag
