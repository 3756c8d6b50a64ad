"""The ledger: verify, commit, acknowledge, tell everybody, answer readers."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import structlog
from sqlalchemy.exc import DBAPIError

from vigilar_core.bus import topics
from vigilar_core.bus.client import MqttBus
from vigilar_core.bus.envelope import Envelope
from vigilar_core.context import ServiceContext
from vigilar_core.events import Event
from vigilar_core.ledger.arrival import Arrival
from vigilar_core.ledger.intake import Intake
from vigilar_core.ledger.journal import Committed, Journal
from vigilar_core.ledger.replay import Question, Questions, fitting
from vigilar_core.store.failure import is_damaged, is_full, is_unavailable
from vigilar_core.store.reserve import Reserve

_log = structlog.get_logger(__name__)

_BATCH: Final = 500
_ANSWERS_PER_TURN: Final = 8
#: How often readers are told the head although nothing happens, seconds.
_BEACON_INTERVAL_S: Final = 10.0
#: How often the same kind of complaint becomes an event, seconds.
_COMPLAINT_INTERVAL_S: Final = 60.0
#: How often room on the disk is kept back again, seconds.
_RESERVE_INTERVAL_S: Final = 300.0
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 10.0


class Ledger:
    """One turn after another; nothing is acknowledged before it is committed.

    :param bus: of the service ``ledger``
    :param journal: of a migrated store
    :param reserve: room on the disk that is given up for events; ``None``: the store is elsewhere
    """

    def __init__(
        self,
        context: ServiceContext,
        bus: MqttBus,
        journal: Journal,
        reserve: Reserve | None = None,
    ) -> None:
        self._bus = bus
        self._clock = context.clock
        self._journal = journal
        self._reserve = reserve
        self._reserve_s = -math.inf
        self._intake = Intake(context.catalogue)
        self._questions = Questions()
        self._cursors: dict[str, int] = {}
        self._head = journal.head()
        self._told_s = self._clock.monotonic_s()
        self._complained_s = -_COMPLAINT_INTERVAL_S
        self._untrusted_told = 0
        self._failing_since_s: float | None = None
        self._failing_reason = ""
        self._retry_s = 0.0
        self._pause_s = _FIRST_PAUSE_S

    def open(self) -> None:
        """Begin to take events in, and say so to publishers that wait for it."""
        self._bus.subscribe_raw(topics.ALL, self._receive)
        listening = {"state": "online", "listens": True}
        self._bus.publish_state(topics.service_state("ledger"), listening, retain=True)
        self.say("ledger_started", head=self._head)

    @property
    def is_busy(self) -> bool:
        """Whether another turn has work that waits for nothing."""
        return (len(self._intake) > 0 and self._failing_since_s is None) or len(self._questions) > 0

    def turn(self) -> None:
        """Do what is due."""
        now_s = self._clock.monotonic_s()
        if (self._intake or self._cursors) and now_s >= self._retry_s:
            self._commit()
        self._acknowledge_refused()
        for _ in range(min(_ANSWERS_PER_TURN, len(self._questions))):
            self._answer(self._questions.next())
        if self._reserve is not None and now_s - self._reserve_s >= _RESERVE_INTERVAL_S:
            self._reserve_s = now_s
            self._reserve.keep()
        if now_s - self._told_s >= _BEACON_INTERVAL_S:
            self._tell(self._head, [])
        if now_s - self._complained_s >= _COMPLAINT_INTERVAL_S:
            self._complain(now_s)

    # ---------------------------------------------------------------- receive

    def _receive(self, topic: str, envelope: Envelope) -> None:
        if envelope.kind is not None:
            self._intake.take_in(topic, envelope)
        elif topic == topics.REPLAY_REQUEST:
            self._questions.ask(envelope.source, envelope.data)
        elif topic == topics.CURSOR:
            position = envelope.data.get("position")
            if type(position) is int and 0 <= position <= self._head:
                self._cursors[envelope.source] = position

    # ----------------------------------------------------------------- commit

    def _commit(self) -> None:
        arrivals = self._intake.oldest(_BATCH)
        try:
            committed = self._journal.commit(arrivals, self._cursors)
        except DBAPIError as error:
            if is_damaged(error):
                raise  # the start of the service knows how to repair it
            if is_full(error) and self._reserve is not None and self._reserve.give():
                self._reserve_s = self._clock.monotonic_s()
                self.say("disk_full")
            elif is_unavailable(error):
                self._wait_for_store(error)
            else:
                self._commit_singly(arrivals)
            return
        self._recovered()
        self._cursors = {}
        self._finish(arrivals, committed)

    def _commit_singly(self, arrivals: Sequence[Arrival]) -> None:
        """One event spoils its batch: find it, refuse it, keep the others."""
        for arrival in arrivals:
            try:
                committed = self._journal.commit([arrival])
            except DBAPIError as error:
                if is_unavailable(error):
                    self._wait_for_store(error)
                    return
                self._intake.refuse(arrival.topic, arrival.envelope, f"{error.orig}")
                self._intake.done([arrival])
                _log.error(
                    "event refused by the database", id=arrival.envelope.id, error=f"{error}"
                )
                continue
            self._finish([arrival], committed)
        self._cursors = {}

    def _finish(self, arrivals: list[Arrival], committed: Committed) -> None:
        self._intake.done(arrivals)
        ids: dict[str, list[str]] = defaultdict(list)
        for arrival in arrivals:
            ids[arrival.envelope.source].append(arrival.envelope.id)
        for source, committed_ids in ids.items():
            self._acknowledge(source, committed_ids, {})
        self._head = max(self._head, committed.head)
        previous = committed.previous
        for group in fitting(committed.events):
            self._tell(previous, group)
            previous = group[-1]["sequence"]
        for failure in committed.failures:
            _log.error("projection failed", distribution=failure.distribution, error=failure.error)
            if failure.event.kind != "projection_failed":
                self.say(
                    "projection_failed",
                    caused_by=failure.event,
                    distribution=failure.distribution,
                    kind=failure.event.kind,
                    error=failure.error,
                )

    def _wait_for_store(self, error: DBAPIError) -> None:
        now_s = self._clock.monotonic_s()
        if self._failing_since_s is None:
            self._failing_since_s = now_s
        self._failing_reason = f"{error.orig}"[:200]
        self._retry_s = now_s + self._pause_s
        _log.error(
            "events cannot be stored",
            reason=self._failing_reason,
            waiting=len(self._intake),
            retry_s=self._pause_s,
        )
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def _recovered(self) -> None:
        if self._failing_since_s is None:
            return
        duration_s = round(self._clock.monotonic_s() - self._failing_since_s, 1)
        self._failing_since_s, self._pause_s, self._retry_s = None, _FIRST_PAUSE_S, 0.0
        self.say("commits_delayed", duration_s=duration_s, reason=self._failing_reason)

    # ------------------------------------------------------------------- tell

    def say(self, name: str, /, *, caused_by: Event | None = None, **fields: Any) -> None:
        """Publish an event of one's own; not being able to must not end the ledger."""
        try:
            self._bus.publish_event(f"vigilar/system/{name}", caused_by=caused_by, **fields)
        except ValueError as error:
            _log.error("event not published", name=name, reason=str(error))

    def _acknowledge(self, source: str, ids: list[str], refused: dict[str, str]) -> None:
        data = {"ids": ids, "refused": refused}
        self._bus.publish_state(topics.acknowledgement(source), data)

    def _acknowledge_refused(self) -> None:
        refused, self._intake.refused = self._intake.refused, {}
        for source, reasons in refused.items():
            self._acknowledge(source, [], reasons)

    def _tell(self, previous: int, group: list[dict[str, Any]]) -> None:
        data = {"previous": previous, "head": self._head, "events": group}
        self._bus.publish_state(topics.COMMITTED, data)
        self._told_s = self._clock.monotonic_s()

    def _answer(self, question: Question) -> None:
        after = question.after
        try:
            if after is None and question.from_cursor:
                after = self._journal.cursor(question.service)
            events = [] if after is None else self._journal.after(after, question.limit)
        except DBAPIError as error:
            if is_damaged(error):
                raise
            _log.error("a reader cannot be answered now", reason=f"{error.orig}"[:200])
            return
        group = next(fitting(events), [])
        data = {"reader": question.reader, "after": after, "head": self._head, "events": group}
        self._bus.publish_state(topics.replay(question.service), data)

    def _complain(self, now_s: float) -> None:
        """Tell people of refused and untrusted messages, together and seldom."""
        refusals, self._intake.refusals = self._intake.refusals, {}
        untrusted = self._bus.counters["untrusted"] - self._untrusted_told
        if not refusals and not untrusted:
            return
        self._complained_s = now_s
        for (source, topic, reason), count in list(refusals.items())[:20]:
            self.say(
                "event_rejected",
                service=source,
                topic=topic,
                reason=reason,
                count=count,
            )
        if untrusted:
            self._untrusted_told += untrusted
            self.say("messages_untrusted", count=untrusted)
