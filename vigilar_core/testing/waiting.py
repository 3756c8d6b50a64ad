"""Waiting for a thing instead of for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def eventually(
    condition: Callable[[], Result], *, within_s: float = 10.0, what: str = "condition"
) -> Result:
    """Ask until the answer is true and return it.

    :param within_s: how long to ask, seconds
    :raises AssertionError: it never was; carries the last answer
    """
    deadline = time.monotonic() + within_s
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} not met within {within_s} s; last answer: {answer!r}")
        time.sleep(0.01)
    return answer
