"""How long to wait before a failed worker is started again: arithmetic only."""

from __future__ import annotations

#: The wait after the first failure, and the longest wait, seconds.
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 300.0
#: A worker that ran this long has recovered: its next failure counts as the first.
HEALTHY_AFTER_S = 600.0
#: The part of a delay that chance may take off, so that many workers do not start at once.
JITTER = 0.25


def delay_s(failures: int, chance: float) -> float:
    """Seconds to wait before the next start.

    Doubles with each failure in a row up to :data:`LONGEST_DELAY_S`; chance only shortens,
    so the longest wait is a promise.

    :param failures: failures in a row, the present one included; at least 1
    :param chance: a random number, 0.0 to 1.0
    """
    doublings = min(failures - 1, 30)  # 2.0**1024 would overflow
    full = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0**doublings)
    return full * (1.0 - JITTER * chance)


def failures_in_a_row(before: int, ran_s: float) -> int:
    """The count after another failure.

    :param before: the count until now
    :param ran_s: how long the worker ran before it failed, seconds
    """
    return 1 if ran_s >= HEALTHY_AFTER_S else before + 1
