"""Which packet goes into which recording: when one begins, ends, or goes on in another file."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from vigilar_recorder.policy import Coverage


class EndedBy(enum.StrEnum):
    """Why a recording ended."""

    POST_ROLL = "post_roll"
    TRIGGER = "trigger"
    SPLIT = "split"
    STREAM_CHANGED = "stream_changed"
    CAMERA_LOST = "camera_lost"
    SERVICE_STOPPED = "service_stopped"
    FAILED = "failed"
    CRASH = "crash"


class Position(enum.Enum):
    """What is there to decide upon."""

    #: A packet of the video that a decoder can start at.
    KEY_FRAME = "key frame"
    #: Any other packet.
    BETWEEN = "between"
    #: No packet; time passed or a trigger came.
    NO_PACKET = "no packet"


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now, in this order.

    :param end: end the open recording
    :param begin: begin one
    :param from_ring: the new one begins with what the ring holds, the present packet included
    :param write: put the present packet into the open recording
    """

    end: EndedBy | None = None
    begin: Coverage | None = None
    from_ring: bool = False
    write: bool = False


class RecordingPlan:
    """Follows the open recording.

    :param max_recording_s: longest recording; a longer one is split at the next key frame
    """

    def __init__(self, max_recording_s: float) -> None:
        self._max_recording_s = max_recording_s
        self._began_s = 0.0
        #: What the open recording holds.
        self.coverage = Coverage.NOTHING

    def decide(
        self, wanted: Coverage, moment_s: float, position: Position, *, may_begin: bool
    ) -> Step:
        """The next step; the plan counts on its being done.

        :param wanted: what the policy asks for at this moment
        :param may_begin: whether the ring has a key frame and the disk takes files
        """
        if self.coverage is Coverage.NOTHING:
            return self._begin(wanted, moment_s, position, may_begin)
        if self.coverage is wanted:
            return self._go_on(moment_s, position)
        if wanted is Coverage.EVERYTHING and not may_begin:
            return Step(write=position is Position.KEY_FRAME)
        end = EndedBy.TRIGGER if wanted is Coverage.EVERYTHING else EndedBy.POST_ROLL
        self.coverage = Coverage.NOTHING
        following = self._begin(wanted, moment_s, position, may_begin)
        return Step(end, following.begin, following.from_ring, following.write)

    def began(self, moment_s: float) -> None:
        """The recording just begun reaches back to this moment."""
        self._began_s = moment_s

    def ended(self) -> None:
        """The open recording ended for a reason that the plan does not know of."""
        self.coverage = Coverage.NOTHING

    def _begin(
        self, wanted: Coverage, moment_s: float, position: Position, may_begin: bool
    ) -> Step:
        if wanted is Coverage.NOTHING or not may_begin:
            return Step()
        if wanted is Coverage.KEY_FRAMES and position is not Position.KEY_FRAME:
            return Step()
        self.coverage = wanted
        self._began_s = moment_s
        from_ring = wanted is Coverage.EVERYTHING
        return Step(begin=wanted, from_ring=from_ring, write=not from_ring)

    def _go_on(self, moment_s: float, position: Position) -> Step:
        if position is Position.KEY_FRAME:
            if moment_s - self._began_s >= self._max_recording_s:
                self._began_s = moment_s
                return Step(EndedBy.SPLIT, self.coverage, write=True)
            return Step(write=True)
        wanted_too = self.coverage is Coverage.EVERYTHING
        return Step(write=wanted_too and position is Position.BETWEEN)
