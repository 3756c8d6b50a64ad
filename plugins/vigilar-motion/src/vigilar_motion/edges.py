"""From hits in single pictures to one start and one end for each motion: a pure state machine.

Everything is measured in seconds of the pictures' own monotonic time, so that it behaves alike at
one picture in two seconds and at thirty a second.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

from vigilar_core.media import Box
from vigilar_motion.options import EdgeTiming

#: A hit of this confidence is strong: believed alone where pictures are far apart.
STRONG = 0.75
#: At least this part of the pictures since the first hit must be hits.
_DENSITY = 0.5
#: Motion is held over at least this many pictures, however far apart they are.
_HOLD_PICTURES = 2.5


@dataclass(frozen=True, slots=True)
class Sighting:
    """Motion in one picture.

    :param confidence: 0.0 to 1.0; 0.5 is just enough
    :param since_s: when a thing was first seen that can have come here since
    :param boxes: where, relative coordinates
    :param zones: named zones touched
    """

    confidence: float
    since_s: float
    boxes: tuple[Box, ...] = ()
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """Motion starts, or has ended.

    An end carries the greatest confidence and all zones of the motion it ends.
    """

    edge: Literal["start", "end"]
    time_s: float
    sighting: Sighting


class EdgeMachine:
    """Idle → candidate → active → idle.

    :param timing: durations
    """

    def __init__(self, timing: EdgeTiming) -> None:
        self._timing = timing
        self._warm_s: float | None = None
        self._warm_pictures = 0
        self._previous_s = 0.0
        self._interval_s = 0.0
        self._interval_before_s = 0.0
        self._looks: deque[tuple[float, bool]] = deque()
        self._active: Sighting | None = None
        self._started_s = 0.0
        self._last_hit_s = 0.0

    @property
    def active(self) -> bool:
        """Between a start and its end."""
        return self._active is not None

    @property
    def warm(self) -> bool:
        """Whether enough was seen since the start to tell motion from what is always there."""
        enough = self._warm_pictures >= self._timing.warm_up_pictures
        return enough and self._warm_s is not None and self._previous_s >= self._warm_s

    @property
    def wants_faster(self) -> bool:
        """More pictures a second would settle something, or end the warm-up sooner."""
        return self.active or not self.warm or self.suspects

    @property
    def suspects(self) -> bool:
        """A hit waits to be confirmed."""
        return bool(self._looks)

    def restart(self) -> None:
        """Begin a new warm-up with the next picture; a motion under way goes on."""
        self._warm_s = None
        self._looks.clear()

    def pause(self, time_s: float) -> None:
        """A picture that says nothing about motion, such as during a change of light."""
        self._tick(time_s)
        self._looks.clear()
        self._last_hit_s = time_s

    def observe(self, time_s: float, sighting: Sighting | None) -> Edge | None:
        """Take in what was seen in a picture.

        :param time_s: monotonic, not before that of the picture before
        :param sighting: ``None`` when nothing moved
        :returns: an edge, if the picture makes one
        """
        self._tick(time_s)
        if self._active is not None:
            return self._continue(time_s, self._active, sighting)
        if not self.warm:
            return None
        self._looks.append((time_s, sighting is not None))
        while self._looks[0][0] < time_s - self._timing.window_s or not self._looks[0][1]:
            self._looks.popleft()
            if not self._looks:
                return None
        if sighting is None or not self._confirmed(sighting):
            return None
        self._looks.clear()
        self._active, self._started_s, self._last_hit_s = sighting, time_s, time_s
        return Edge("start", time_s, sighting)

    def _tick(self, time_s: float) -> None:
        if self._warm_s is None:
            self._warm_s = time_s + self._timing.warm_up_s
            self._warm_pictures = 0
            self._previous_s = time_s
        self._warm_pictures += 1
        self._interval_before_s, self._interval_s = self._interval_s, time_s - self._previous_s
        self._previous_s = time_s

    def _confirmed(self, sighting: Sighting) -> bool:
        """Whether the candidate's hits are enough to believe in motion."""
        if self._interval_s >= self._timing.sparse_interval_s and sighting.confidence >= STRONG:
            return True
        looks = [hit for at_s, hit in self._looks if at_s >= sighting.since_s]
        seen_s = self._previous_s - sighting.since_s
        return seen_s >= self._timing.confirm_s and sum(looks) >= _DENSITY * len(looks)

    def _continue(self, time_s: float, active: Sighting, sighting: Sighting | None) -> Edge | None:
        if sighting is not None:
            self._last_hit_s = time_s
            self._active = replace(
                active,
                confidence=max(active.confidence, sighting.confidence),
                zones=active.zones + tuple(z for z in sighting.zones if z not in active.zones),
            )
            return None
        quiet_s = time_s - self._last_hit_s
        usual_s = min(self._interval_s, self._interval_before_s)
        hold_s = max(self._timing.hold_s, _HOLD_PICTURES * usual_s)
        if quiet_s < hold_s or time_s - self._started_s < self._timing.minimum_s:
            return None
        self._active = None
        return Edge("end", time_s, replace(active, boxes=()))
