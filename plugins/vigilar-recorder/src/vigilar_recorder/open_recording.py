"""A recording that is open, on the camera's side: packets in, fragments out to the writer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vigilar_core.fragments import Fragmenter, InitSegment, MediaFragment
from vigilar_core.media import Motion, Packet, Stream
from vigilar_recorder.facts import RecordingFacts
from vigilar_recorder.finished import Ending, MotionSummary
from vigilar_recorder.plan import EndedBy
from vigilar_recorder.write_behind import WriteBehind

#: Longest fragment; with its flush it bounds what a crash can lose.
FRAGMENT_S = 0.5


class OpenRecording:
    """Cuts packets into fragments and hands them to the writer.

    :param streams: what is recorded of the camera
    :param trigger_s: moment of the trigger, monotonic; the thumbnail shows about this
    """

    def __init__(
        self,
        facts: RecordingFacts,
        key: bytes | None,
        streams: Sequence[Stream],
        writer: WriteBehind,
        trigger_s: float,
    ) -> None:
        self._fragmenter = Fragmenter(streams, self, FRAGMENT_S)
        self.facts = replace(facts, audio_codec=self._fragmenter.audio_codec)
        self._key = key
        self._writer = writer
        self._trigger_s = trigger_s
        self._first_s: float | None = None
        self._length_s = 0.0
        self._motion = MotionSummary()
        self._before: Packet | None = None
        self._after: Packet | None = None
        self._fed_s = 0.0
        #: Whether the writer knows of it.
        self.has_begun = False

    @property
    def left_out(self) -> str:
        """Sound that is not recorded, and why; empty when all is."""
        return self._fragmenter.left_out

    def packet(self, packet: Packet, now_s: float) -> None:
        """Record a packet.

        :raises ValueError: the stream cannot be recorded
        """
        self._fragmenter.packet(packet)
        self._fed_s = now_s
        if packet.stream.kind != "video":
            return
        if self._first_s is None:
            self._first_s = packet.monotonic_s
        duration_s = float(packet.duration * packet.stream.time_base)
        # Of the monotonic clock, because the other one may be set while recording.
        length_s = packet.monotonic_s - self._first_s + duration_s
        self._length_s = max(self._length_s, length_s)
        if packet.is_key and self._after is None:
            if packet.monotonic_s <= self._trigger_s:
                self._before = packet
            else:
                self._after = packet

    def motion(self, motion: Motion) -> None:
        """Note an edge of motion."""
        so_far = self._motion
        zones = tuple(dict.fromkeys((*so_far.zones, *motion.zones)))
        starts = so_far.starts + (motion.edge == "start")
        self._motion = MotionSummary(starts, max(so_far.confidence, motion.confidence), zones)

    def flush_if_idle(self, now_s: float) -> None:
        """Put on disk what has been held for longer than a fragment lasts."""
        if self._fragmenter.holds_samples and now_s - self._fed_s > FRAGMENT_S:
            self._fragmenter.flush()

    def close(self, ended_by: EndedBy) -> None:
        """End the recording; the writer seals it."""
        self._fragmenter.close()
        if not self.has_begun:
            return
        end_time_us = self.facts.start_time_us + round(self._length_s * 1e6)
        ending = Ending(ended_by, end_time_us, self._motion)
        self._writer.seal(self.facts.id, ending, self._picture())

    def _picture(self) -> Packet | None:
        """The key frame nearest to the trigger."""
        if self._before is None or self._after is None:
            return self._before or self._after
        before_s = self._trigger_s - self._before.monotonic_s
        after_s = self._after.monotonic_s - self._trigger_s
        return self._before if before_s <= after_s else self._after

    # ----------------------------------------------------- called by the fragmenter

    def init_segment(self, segment: InitSegment) -> None:
        self.has_begun = True
        self._writer.begin(self.facts, self._key)
        self._writer.write(self.facts.id, segment.data)

    def fragment(self, fragment: MediaFragment) -> None:
        self._writer.write(self.facts.id, fragment.data)
