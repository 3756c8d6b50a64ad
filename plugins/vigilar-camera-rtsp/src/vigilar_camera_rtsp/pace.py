"""Thins out a sequence of moments to a rate."""

from __future__ import annotations


class Pace:
    """Says which moments to take so that they come at a rate, on average exactly.

    All times in seconds on the monotonic clock of the packets.
    """

    def __init__(self) -> None:
        self._next_s = float("-inf")

    def take(self, at_s: float, fps: float, early_s: float = 0.001) -> bool:
        """Whether the moment `at_s` is taken; it may come `early_s` before it is due."""
        if not self.is_due(at_s, fps, early_s):
            return False
        self.took(at_s, fps)
        return True

    def is_due(self, at_s: float, fps: float, early_s: float = 0.001) -> bool:
        """Whether the moment would be taken; when the next is far off, time was set back."""
        return at_s >= self._next_s - early_s or self._next_s - at_s > 1.5 / fps

    def took(self, at_s: float, fps: float) -> None:
        """Take the moment: the next is due an interval after this one was."""
        interval_s = 1.0 / fps
        due_s = self._next_s if abs(self._next_s - at_s) <= interval_s else at_s
        self._next_s = due_s + interval_s

    def reset(self) -> None:
        """Take the next moment, whenever it is."""
        self._next_s = float("-inf")
