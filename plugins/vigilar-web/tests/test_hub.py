from __future__ import annotations

import threading

from flask import Flask, Response

from vigilar_core.events import Event, Severity
from vigilar_web.hub import WAITING_MAX, EventHub
from vigilar_web.streams import StreamSlots, limit_streams


def event(sequence: int) -> Event:
    return Event(
        f"{sequence:032x}", "kind", "vigilar/x", "x", "test", 0, Severity.INFO, {}, sequence
    )


def test_every_listener_gets_every_event() -> None:
    hub = EventHub()
    with hub.listen() as one, hub.listen() as two:
        hub.publish(event(1))
        assert [one.get(1), two.get(1)] == [event(1), event(1)]
        assert hub.listeners == 2
    assert hub.listeners == 0


def test_a_listener_that_overflows_is_told_once_and_starts_empty() -> None:
    hub = EventHub()
    with hub.listen() as slow:
        for number in range(WAITING_MAX + 5):
            hub.publish(event(number))
        assert slow.overflowed()
        assert not slow.overflowed()
        assert slow.get(0.01) is None


def test_closing_wakes_a_waiting_listener() -> None:
    hub = EventHub()
    woken = threading.Event()

    def wait() -> None:
        with hub.listen() as listener:
            ready.set()
            listener.get(30)
            assert listener.closed
            woken.set()

    ready = threading.Event()
    threading.Thread(target=wait).start()
    assert ready.wait(5)
    hub.close()
    assert woken.wait(5)


def test_who_listens_after_the_end_is_closed_at_once() -> None:
    hub = EventHub()
    hub.close()
    with hub.listen() as listener:
        assert listener.closed


def test_slots_are_counted_per_owner_and_in_all() -> None:
    slots = StreamSlots(total=3, each=2)
    releases = [slots.take("a"), slots.take("a")]
    assert slots.take("a") is None
    assert slots.take("b") is not None
    assert slots.take("c") is None
    first = releases[0]
    assert first is not None
    first()
    first()
    assert slots.open == 2
    assert slots.take("c") is not None


def streaming_app(slots: StreamSlots) -> Flask:
    app = Flask("streams")
    limit_streams(app, slots)
    app.get("/stream", endpoint="stream")(lambda: Response(iter(["a", "b"]), mimetype="text/plain"))
    app.get("/page", endpoint="page")(lambda: "page")
    return app


def test_a_stream_too_many_is_turned_away_and_pages_go_on() -> None:
    slots = StreamSlots(total=1, each=1)
    client = streaming_app(slots).test_client()
    first = client.get("/stream", buffered=False)
    second = client.get("/stream")
    assert (second.status_code, second.headers["Retry-After"]) == (503, "30")
    assert client.get("/page").status_code == 200
    first.close()
    assert slots.open == 0
    assert client.get("/stream").data == b"ab"
