"""When a lost camera is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable

#: A camera that has come back is tried within this time; with the connection, and the wait for a
#: key frame, it is online within five seconds.
LONGEST_S = 3.0
#: After this long without trouble the next loss counts as the first.
HEALTHY_S = 10.0
#: Between the end of a try and the start of the next there is at least this pause.
PAUSE_S = 0.5


class BackOff:
    """Pauses between tries that double up to a cap, each shortened by chance.

    Parameters: `first_s` the first pause in seconds, also the least cap; `chance` returns a number
    from 0 to 1. A pause counts from the start of the failed try, so that a try which ran into its
    time-out is followed by the next one almost at once.
    """

    def __init__(self, first_s: float, chance: Callable[[], float] = random.random) -> None:
        self._first_s = first_s
        self._longest_s = max(first_s, LONGEST_S)
        self._chance = chance
        self._failures = 0

    def next_try(self, began_s: float, failed_s: float, healthy_for_s: float) -> float:
        """Return the moment of the next try.

        Parameters, in seconds of one monotonic clock: when the try began, when it failed, and how
        long it had delivered in between, 0 for never.
        """
        if healthy_for_s >= HEALTHY_S:
            self._failures = 0
            began_s = failed_s
        pause_s = min(self._longest_s, self._first_s * 2.0 ** min(self._failures, 16))
        self._failures += 1
        pause_s *= 1.0 - 0.3 * self._chance()
        return max(began_s + pause_s, failed_s + PAUSE_S)
