"""What shall be recorded at a moment, from motion, requests and settings. Values only, no I/O.

All moments are seconds on the monotonic clock, so setting the clock changes no recording.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeGuard

#: Longest recording that may be asked for by hand, in seconds.
MAX_MANUAL_S = 86_400.0


class Coverage(enum.IntEnum):
    """How much of the stream is recorded, in rising order."""

    NOTHING = 0
    KEY_FRAMES = 1
    EVERYTHING = 2


@dataclass(frozen=True, slots=True)
class Trigger:
    """Why a recording was begun.

    :param kind: ``motion``, ``manual`` or ``continuous``
    :param moment_s: when, monotonic
    :param who: the person or the rule that asked, for ``manual``
    """

    kind: str
    moment_s: float
    who: str = ""


@dataclass(frozen=True, slots=True)
class RecordingRules:
    """The settings that matter here; times in seconds."""

    pre_roll_s: float = 5.0
    post_roll_s: float = 30.0
    on_motion: bool = True
    idle: Coverage = Coverage.NOTHING
    max_recording_s: float = 900.0


class RecordingPolicy:
    """Remembers what moves and what was asked for, and says what follows from it."""

    def __init__(self, rules: RecordingRules) -> None:
        self._rules = rules
        self._moving: Trigger | None = None
        self._post_roll_until_s = float("-inf")
        self._last_motion: Trigger | None = None
        self._manual: Trigger | None = None
        self._manual_until_s = float("inf")

    def motion_started(self, moment_s: float) -> None:
        """Something began to move; a second start changes nothing."""
        if self._rules.on_motion and self._moving is None:
            self._moving = self._last_motion = Trigger("motion", moment_s)

    def motion_ended(self, moment_s: float) -> None:
        """It stopped moving: the post-roll begins."""
        if self._moving is not None:
            self._moving = None
            until_s = moment_s + self._rules.post_roll_s
            self._post_roll_until_s = max(self._post_roll_until_s, until_s)

    def manual_started(self, moment_s: float, who: str, duration_s: float | None = None) -> None:
        """Somebody asked to record.

        :param duration_s: end by itself after this time; ``None``: go on until asked to stop.
            A request while one is running replaces its end.
        """
        if self._manual is None or moment_s >= self._manual_until_s:
            self._manual = Trigger("manual", moment_s, who)
        self._manual_until_s = float("inf") if duration_s is None else moment_s + duration_s

    def manual_stopped(self) -> None:
        """Nobody asks any more; motion may still hold the recording open."""
        self._manual = None

    def camera_lost(self, moment_s: float) -> None:
        """No picture: what moved is over, requests of people stay."""
        self.motion_ended(moment_s)

    def trigger(self, moment_s: float) -> Trigger | None:
        """What asks for everything at a moment, the more telling of several first."""
        if self._moving is not None:
            return self._moving
        if self._manual is not None and moment_s < self._manual_until_s:
            return self._manual
        if moment_s < self._post_roll_until_s:
            return self._last_motion
        return None

    def coverage(self, moment_s: float) -> Coverage:
        """How much shall be recorded at a moment."""
        return self._rules.idle if self.trigger(moment_s) is None else Coverage.EVERYTHING


def is_duration(value: object) -> TypeGuard[float | None]:
    """Whether a message may name this as the seconds to record; ``None``: until told to stop."""
    if value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 < value <= MAX_MANUAL_S
