"""Turns what becomes of recordings into events, without repeating itself while a disk is full."""

from __future__ import annotations

from typing import Any

from vigilar_core.bus import Bus
from vigilar_recorder import event_kinds
from vigilar_recorder.facts import RecordingFacts
from vigilar_recorder.finished import Failure, Finished


class Reporter:
    """Publishes the events of one camera's recordings."""

    def __init__(self, bus: Bus, camera: str) -> None:
        self._bus = bus
        self._camera = camera
        self._failing: str | None = None
        self._told_left_out = ""

    def started(self, facts: RecordingFacts) -> None:
        self._publish("started", facts.start_time_us, **facts.fields())
        self._bus.publish_state(
            event_kinds.state_topic(self._camera),
            {"recording": True, "id": facts.id, "trigger": facts.trigger},
            retain=True,
        )

    def idle(self) -> None:
        """Nothing is being recorded."""
        topic = event_kinds.state_topic(self._camera)
        self._bus.publish_state(topic, {"recording": False}, retain=True)

    def left_out(self, reason: str) -> None:
        """Say once why sound is missing."""
        if reason and reason != self._told_left_out:
            self._told_left_out = reason
            self._publish("sound_left_out", reason=reason)

    def finished(self, finished: Finished) -> None:
        if finished.failure is not None:
            self.failed(finished.failure, finished.facts)
        if finished.file is not None:
            self._publish("sealed", finished.ending.end_time_us, **finished.sealed_fields())

    def failed(self, failure: Failure, facts: RecordingFacts | None = None) -> None:
        """Say that recording failed; the same cause again only when it concerns a recording."""
        known = failure.cause == self._failing
        if facts is None and known:
            return
        if failure.cause != "lost":
            self._failing = failure.cause
        self._publish(
            "failed",
            id=facts.id if facts else None,
            path=facts.path if facts else None,
            cause=failure.cause,
            reason=failure.reason,
            repeated=known,
        )

    def well(self) -> None:
        """Data arrived on the disk; after a failure that is news."""
        if self._failing is not None:
            self._publish("resumed", after=self._failing)
            self._failing = None

    def _publish(self, what: str, time_us: int | None = None, /, **fields: Any) -> None:
        topic = event_kinds.topic(self._camera, what)
        self._bus.publish_event(topic, time_us=time_us, **fields)
