"""The feed: strictly in order, none left out, none twice, whatever is lost on the way."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_core.bus.event_json import event_from_json, event_to_json
from vigilar_core.bus.feed import EventFeed
from vigilar_core.errors import UntrustedMessageError
from vigilar_core.events import Event, Severity


def make_event(sequence: int) -> Event:
    return Event(
        id=f"{sequence:032x}",
        kind="motion_start",
        topic="vigilar/camera/hall/motion/start",
        subject="camera/hall",
        source="camera:hall",
        time_us=sequence,
        severity=Severity.INFO,
        data={"n": sequence},
        sequence=sequence,
    )


class MadeLedger:
    """A ledger that only remembers; its numbers have gaps, as a database's may have."""

    def __init__(self, source: random.Random | None = None) -> None:
        self.source = source or random.Random(0)
        self.events: list[Event] = []

    @property
    def head(self) -> int:
        return self.events[-1].sequence or 0 if self.events else 0

    def commit(self, count: int) -> dict[str, Any]:
        previous = self.head
        for _ in range(count):
            self.events.append(make_event(self.head + self.source.choice((1, 1, 1, 2, 5))))
        fresh = [event_to_json(event) for event in self.events[len(self.events) - count :]]
        return {"previous": previous, "head": self.head, "events": fresh}

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        after = question["after"]
        found: Sequence[Event] = (
            ()
            if after is None
            else [event for event in self.events if (event.sequence or 0) > after][
                : question["limit"]
            ]
        )
        return {
            "reader": question["reader"],
            "after": after,
            "head": self.head,
            "events": [event_to_json(event) for event in found],
        }


def drain(feed: EventFeed) -> list[int]:
    found = []
    while (event := feed.next_event()) is not None:
        found.append(event.sequence or 0)
    return found


def test_an_event_survives_the_wire() -> None:
    assert event_from_json(event_to_json(make_event(3))) == make_event(3)


@pytest.mark.parametrize("broken", [{}, {"severity": "loud"}, {"data": 1}, {"sequence": None}])
def test_what_is_no_event_is_untrusted(broken: dict[str, Any]) -> None:
    members = {**event_to_json(make_event(1)), **broken} if broken else {}
    with pytest.raises(UntrustedMessageError):
        event_from_json(members)


def test_a_reader_from_now_on_gets_nothing_old() -> None:
    ledger, feed = MadeLedger(), EventFeed("r", None)
    ledger.commit(5)
    question = feed.request(0.0)
    assert question is not None
    feed.answered(ledger.answer(question))
    feed.live(ledger.commit(2))
    assert drain(feed) == [event.sequence for event in ledger.events[5:]]


def test_a_reader_that_continues_gets_everything_behind_its_place() -> None:
    ledger = MadeLedger()
    ledger.commit(700)
    after = ledger.events[99].sequence
    feed, found = EventFeed("r", after), []
    while (question := feed.request(0.0)) is not None:
        feed.answered(ledger.answer(question))
        found += drain(feed)
    assert found == [event.sequence for event in ledger.events[100:]]


def test_a_missed_batch_is_asked_for() -> None:
    ledger, feed = MadeLedger(), EventFeed("r", 0)
    question = feed.request(0.0)
    assert question is not None
    feed.answered(ledger.answer(question))
    feed.live(ledger.commit(2))
    ledger.commit(3)
    feed.live(ledger.commit(1))
    assert drain(feed) == [event.sequence for event in ledger.events[:2]]
    question = feed.request(1.0)
    assert question is not None
    feed.answered(ledger.answer(question))
    assert drain(feed) == [event.sequence for event in ledger.events[2:]]


def test_the_head_alone_tells_that_the_last_batch_was_missed() -> None:
    ledger, feed = MadeLedger(), EventFeed("r", 0)
    feed.answered(ledger.answer(feed.request(0.0) or {}))
    ledger.commit(1)
    assert feed.request(1.0) is None
    feed.live({"previous": ledger.head, "head": ledger.head, "events": []})
    assert feed.request(1.0) is not None


def test_an_unanswered_question_is_asked_again_more_and_more_patiently() -> None:
    feed, asked, now_s = EventFeed("r", 5), [], 0.0
    while now_s < 100:
        if feed.request(now_s) is not None:
            asked.append(now_s)
        now_s += 0.5
    assert asked[0] == 0
    pauses = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert pauses == sorted(pauses)
    assert max(pauses) <= 30


def test_a_lagging_reader_keeps_a_bounded_number_of_events() -> None:
    ledger, feed = MadeLedger(), EventFeed("r", 0)
    feed.answered(ledger.answer(feed.request(0.0) or {}))
    for _ in range(50):
        feed.live(ledger.commit(200))
    assert len(feed._queue) <= 1000
    found = drain(feed)
    while (question := feed.request(1e6)) is not None:
        feed.answered(ledger.answer(question))
        found += drain(feed)
    assert found == [event.sequence for event in ledger.events]


def test_a_ledger_with_lower_numbers_does_not_silence_a_reader() -> None:
    ledger, feed = MadeLedger(), EventFeed("r", 9000)
    ledger.commit(3)
    feed.answered(ledger.answer(feed.request(0.0) or {}))
    feed.live(ledger.commit(2))
    assert drain(feed) == [event.sequence for event in ledger.events[3:]]


def test_answers_for_another_reader_or_another_place_are_not_taken() -> None:
    ledger, feed = MadeLedger(), EventFeed("r", 0)
    ledger.commit(3)
    question = feed.request(0.0)
    assert question is not None
    feed.answered({**ledger.answer(question), "reader": "other"})
    feed.answered({**ledger.answer(question), "after": 2})
    assert drain(feed) == []


@given(seed=st.integers(0, 2**32))
def test_order_and_completeness_survive_any_loss_repeat_and_reconnection(seed: int) -> None:
    source = random.Random(seed)
    ledger, feed, found, now_s = MadeLedger(source), EventFeed("r", 0), [], 0.0
    answers: list[dict[str, Any]] = []
    batches: list[dict[str, Any]] = []
    for _ in range(60):
        now_s += source.random() * 3
        match source.randrange(6):
            case 0:
                batches.append(ledger.commit(source.randint(1, 150)))
            case 1 if batches:
                feed.live(batches.pop(0))
            case 2 if batches:
                source.choice((batches.pop, batches.clear, lambda: feed.live(batches[0])))()
            case 3 if answers:
                feed.answered(source.choice((answers.pop, lambda: answers[-1]))())
            case 4:
                feed.reconnected()
            case _:
                found += [feed.next_event() for _ in range(source.randrange(300))]
        if (question := feed.request(now_s)) is not None and source.random() < 0.7:
            answers.append(ledger.answer(question))
    feed.reconnected()
    now_s = 1e6
    while (question := feed.request(now_s)) is not None or feed.has_events:
        now_s += 60
        if question is not None:
            feed.answered(ledger.answer(question))
        found += [feed.next_event() for _ in range(100)]
    seen = [event.sequence for event in found if event is not None]
    assert seen == [event.sequence for event in ledger.events]
