"""The recorder inside a camera's own process: from packets and triggers to recordings."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from vigilar_core.bus import Message
from vigilar_core.context import CameraContext
from vigilar_core.errors import NotReadyError
from vigilar_core.media import Motion, MotionKind, Packet, Stream
from vigilar_recorder import event_kinds
from vigilar_recorder.attempts import Attempts
from vigilar_recorder.finished import Failure
from vigilar_recorder.open_recording import OpenRecording
from vigilar_recorder.opener import Opener
from vigilar_recorder.packet_ring import PacketRing
from vigilar_recorder.plan import EndedBy, Position, RecordingPlan
from vigilar_recorder.policy import (
    Coverage,
    RecordingPolicy,
    Trigger,
    is_duration,
)
from vigilar_recorder.recovery import recover
from vigilar_recorder.reporter import Reporter
from vigilar_recorder.settings import CameraRecording
from vigilar_recorder.write_behind import WriteBehind

log = logging.getLogger(__name__)

#: Packets lag behind the clock; only after this is a camera without packets taken to stand still.
STALL_S = 2.0
#: After a split, sound from before it may still come for this long.
_LATE_SOUND_S = 1.0
_MEGABYTE = 1 << 20
#: The supervisor allows a service five seconds to end.
_CLOSE_S = 4.0


class CameraRecorder:
    """Keeps the ring, decides with the plan, feeds the open recording.

    Implements :class:`vigilar_core.context.InlineCamera`.
    """

    def __init__(self, camera: CameraContext) -> None:
        settings = camera.settings(CameraRecording)
        self._camera = camera
        self._clock = camera.clock
        self._rules = settings.rules()
        self._policy = RecordingPolicy(self._rules)
        self._plan = RecordingPlan(settings.max_recording_s)
        ring_bytes = settings.pre_motion_buffer_mb * _MEGABYTE
        self._ring = PacketRing(self._rules.pre_roll_s, ring_bytes)
        # Room for a pre-roll that is written at once, and as much again.
        self._writer = WriteBehind(camera.paths.recordings_dir, camera.id, 2 * ring_bytes)
        self._opener = Opener(camera, self._writer)
        self._reporter = Reporter(camera.bus, camera.id)
        self._streams: tuple[Stream, ...] = ()
        self._generation = 0
        self._open: OpenRecording | None = None
        self._ending: tuple[OpenRecording, float] | None = None
        self._last_edge: Motion | None = None
        self._latest_s = 0.0
        self._attempts = Attempts(camera.paths.recordings_dir)
        camera.bus.subscribe(event_kinds.request_topic(camera.id), self._on_request)
        self._reporter.idle()
        self._recover()

    # ------------------------------------------------------------- called by the host

    def on_connected(self, streams: Sequence[Stream]) -> None:
        self._end(EndedBy.STREAM_CHANGED)
        self._ring.clear()
        self._streams = tuple(streams)
        self._generation = max((stream.generation for stream in streams), default=0)

    def on_packet(self, packet: Packet) -> None:
        if packet.stream.generation != self._generation:
            if packet.stream.generation < self._generation:
                return
            self.on_connected(self._camera.streams)
        self._ring.append(packet)
        is_key = packet.is_key and packet.stream.kind == "video"
        position = Position.KEY_FRAME if is_key else Position.BETWEEN
        if self._ending is not None and self._belongs_to_ending(packet):
            return
        # Pictures are not shown in the order they come; a moment that passed stays passed.
        self._latest_s = max(self._latest_s, packet.monotonic_s)
        self._advance(self._latest_s, position, packet)

    def on_motion(self, motion: Motion) -> None:
        if motion.kind is not MotionKind.MOTION:
            return
        if motion.edge == "start":
            self._policy.motion_started(motion.monotonic_s)
            self._last_edge = motion
        else:
            self._policy.motion_ended(motion.monotonic_s)
        was_open = self._open
        self._advance(motion.monotonic_s, Position.NO_PACKET)
        if self._open is not None and self._open is was_open:
            self._open.motion(motion)

    def on_disconnected(self, reason: str) -> None:
        self._policy.camera_lost(self._clock.monotonic_s())
        self._end(EndedBy.CAMERA_LOST)
        self._ring.clear()

    def on_tick(self) -> None:
        now_s = self._clock.monotonic_s()
        self._take_finished(now_s)
        if self._writer.is_full and self._open is not None:
            self._give_up(Failure("disk_slow", "the disk takes less than the camera sends"), now_s)
        if self._ending is not None and now_s > self._ending[1] + STALL_S:
            self._end_split()
        if self._open is not None:
            self._open.flush_if_idle(now_s)
        self._advance(max(self._latest_s, now_s - STALL_S), Position.NO_PACKET)

    def on_close(self) -> None:
        self._end(EndedBy.SERVICE_STOPPED)
        self._writer.close(_CLOSE_S)
        self._take_finished(self._clock.monotonic_s())

    # ------------------------------------------------------------------ what follows

    def _take_finished(self, now_s: float) -> None:
        """Tell what became of recordings; only then their notes may go."""
        for finished in self._writer.finished():
            if finished.failure is not None and not finished.recovered:
                self._after_failure(finished.facts.id, finished.failure, now_s)
            self._reporter.finished(finished)
            if not finished.mend_later:
                self._writer.notes.remove(finished.facts.id)
        if self._writer.has_written:
            self._writer.has_written = False
            self._reporter.well()

    def _on_request(self, message: Message) -> None:
        action, who = message.data.get("action"), str(message.data.get("who", ""))[:200]
        duration_s = message.data.get("duration_s")
        now_s = self._clock.monotonic_s()
        if action == "stop":
            self._policy.manual_stopped()
        elif action == "start" and is_duration(duration_s):
            self._policy.manual_started(now_s, who or message.source, duration_s)
        else:
            log.warning("camera %s: a request to record makes no sense", self._camera.id)
            return
        self._advance(now_s, Position.NO_PACKET)

    def _advance(self, moment_s: float, position: Position, packet: Packet | None = None) -> None:
        wanted = self._policy.coverage(moment_s)
        if wanted is Coverage.NOTHING and self._plan.coverage is Coverage.NOTHING:
            return
        step = self._plan.decide(wanted, moment_s, position, may_begin=self._may_begin())
        if step.end is EndedBy.SPLIT and step.begin is not None and packet is not None:
            self._split(step.begin, packet)
            return
        if step.end is not None:
            self._close_open(step.end)
        if step.begin is not None:
            self._begin(step.begin, step.from_ring, moment_s, packet)
        elif step.write and self._open is not None and packet is not None:
            self._feed(self._open, [packet])
        if self._plan.coverage is Coverage.NOTHING and step.end is not None:
            self._reporter.idle()

    def _may_begin(self) -> bool:
        now_s = self._clock.monotonic_s()
        return bool(self._ring) and self._attempts.may_try(now_s, self._ring.size_bytes)

    def _begin(
        self, coverage: Coverage, from_ring: bool, moment_s: float, packet: Packet | None
    ) -> None:
        trigger = self._policy.trigger(moment_s) or Trigger("continuous", moment_s)
        packets = [packet] if packet is not None else []
        if from_ring:
            packets = self._ring.since(trigger.moment_s - self._rules.pre_roll_s)
        opened = self._open_with(coverage, trigger, packets, None)
        if opened is None:
            return
        self._open = opened
        self._plan.began(packets[0].monotonic_s)
        if trigger.kind == "motion" and self._last_edge is not None:
            opened.motion(self._last_edge)
        self._feed(opened, packets)

    def _split(self, coverage: Coverage, packet: Packet) -> None:
        before, moment_s = self._open, packet.monotonic_s
        assert before is not None
        self._end_split()
        cause = self._policy.trigger(moment_s) or Trigger("continuous", moment_s)
        trigger = Trigger(cause.kind, moment_s, cause.who)
        self._open = self._open_with(coverage, trigger, [packet], before.facts.id)
        self._ending = before, moment_s
        if self._open is not None:
            self._feed(self._open, [packet])

    def _open_with(
        self,
        coverage: Coverage,
        trigger: Trigger,
        packets: Sequence[Packet],
        continues: str | None,
    ) -> OpenRecording | None:
        opened = self._opener.open(coverage, trigger, self._streams, packets[0], continues)
        if isinstance(opened, Failure):
            self._attempts.failed(opened, self._clock.monotonic_s())
            self._plan.ended()
            self._reporter.failed(opened)
            return None
        self._reporter.started(opened.facts)
        self._reporter.left_out(opened.left_out)
        return opened

    def _feed(self, opened: OpenRecording, packets: Sequence[Packet]) -> None:
        now_s = self._clock.monotonic_s()
        try:
            for packet in packets:
                opened.packet(packet, now_s)
        except ValueError as error:
            self._give_up(Failure("unsupported", str(error)), now_s)

    def _belongs_to_ending(self, packet: Packet) -> bool:
        """Give the recording before a split the sound that comes late."""
        assert self._ending is not None
        ending, split_s = self._ending
        if packet.monotonic_s > split_s + _LATE_SOUND_S:
            self._end_split()
        elif packet.stream.kind == "audio" and packet.monotonic_s < split_s:
            self._feed(ending, [packet])
            return True
        return False

    def _end_split(self) -> None:
        if self._ending is not None:
            ending, _ = self._ending
            self._ending = None
            ending.close(EndedBy.SPLIT)

    def _end(self, ended_by: EndedBy) -> None:
        """End what is open for a reason that the plan does not know of."""
        if self._open is not None:
            self._close_open(ended_by)
            self._reporter.idle()
        self._end_split()
        self._plan.ended()

    def _close_open(self, ended_by: EndedBy) -> None:
        self._end_split()
        opened, self._open = self._open, None
        if opened is not None:
            opened.close(ended_by)

    def _give_up(self, failure: Failure, now_s: float) -> None:
        """Stop a recording that cannot go on; what is on the disk is kept."""
        opened, self._open = self._open, None
        self._plan.ended()
        self._attempts.failed(failure, now_s)
        if opened is None:
            return
        self._reporter.idle()
        if opened.has_begun:
            self._writer.fail(opened.facts.id, failure)
        else:
            self._reporter.failed(failure, opened.facts)

    def _after_failure(self, recording: str, failure: Failure, now_s: float) -> None:
        self._attempts.failed(failure, now_s)
        self._writer.has_written = False
        if self._open is not None and self._open.facts.id == recording:
            self._open = None
            self._plan.ended()
            self._reporter.idle()

    def _recover(self) -> None:
        notes = list(self._writer.notes.read())
        if not notes:
            return
        try:
            key = self._camera.storage_key()
        except NotReadyError:
            key = None
        threading.Thread(
            target=recover,
            args=(self._camera.paths.recordings_dir, notes, key, self._writer.report),
            name=f"recover-{self._camera.id}",
            daemon=True,
        ).start()
