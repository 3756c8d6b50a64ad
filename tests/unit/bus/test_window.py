"""The window: bounded, in order, resent after a growing time."""

from __future__ import annotations

from vigilar_core.bus.spool import SpooledEvent
from vigilar_core.bus.window import Window
from vigilar_core.events import Severity


def make_event(number: int) -> SpooledEvent:
    return SpooledEvent("vigilar/t", Severity.INFO, {"id": str(number)})


def filled(count: int) -> Window:
    window = Window(limit=count + 1)
    for number in range(count):
        window.add(make_event(number))
    return window


def test_a_new_event_is_due_at_once_and_in_order() -> None:
    assert [event.id for event in filled(3).due(0.0)] == ["0", "1", "2"]


def test_the_time_to_the_next_try_grows_up_to_a_minute() -> None:
    window, now_s, pauses = filled(1), 100.0, []
    for _ in range(8):
        sent_s = now_s
        window.sent("0", now_s)
        while not window.due(now_s):
            now_s += 0.5
        pauses.append(now_s - sent_s)
    assert pauses == [3, 6, 12, 24, 48, 60, 60, 60]


def test_acknowledged_events_leave_room() -> None:
    window = filled(3)
    window.acknowledge(["1", "unknown"])
    assert window.room == 2
    assert [event.id for event in window.due(0.0)] == ["0", "2"]


def test_a_new_connection_makes_all_due_and_patience_short_again() -> None:
    window = filled(2)
    for _ in range(6):
        window.sent("0", 0.0)
        window.sent("1", 0.0)
    window.send_again()
    assert len(window.due(0.0)) == 2
    window.sent("0", 0.0)
    assert [event.id for event in window.due(3.0)] == ["0", "1"]
