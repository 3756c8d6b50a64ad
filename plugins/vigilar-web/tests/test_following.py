from __future__ import annotations

import threading
from collections.abc import Iterator

from web_house import House

from vigilar_core.events import Event
from vigilar_core.testing import eventually
from vigilar_core.web import Role
from vigilar_web.following import RECHECK_S, follow
from vigilar_web.hub import WAITING_MAX


def token_of(house: House, cameras: frozenset[str] | None = None) -> str:
    user = house.web.accounts.add("ada", Role.VIEWER, cameras=cameras)
    return house.web.sessions.open(user, address="", browser="")


def following(house: House, token: str, after: int | None) -> Iterator[Event | None]:
    return follow(house.web, token, after=after, quiet_s=0.01)


def numbers(stream: Iterator[Event | None], count: int) -> list[int | None]:
    """The next events, quiet times left out."""
    found: list[int | None] = []
    while len(found) < count:
        if (event := next(stream)) is not None:
            found.append(event.sequence)
    return found


def move(house: House, camera: str = "hall") -> None:
    house.happens(f"vigilar/camera/{camera}/motion/start")


def test_it_begins_behind_the_number_it_was_given(house: House) -> None:
    for _ in range(5):
        move(house)
    assert numbers(following(house, token_of(house), 2), 3) == [3, 4, 5]


def test_without_a_number_it_begins_now(house: House) -> None:
    move(house)
    stream = following(house, token_of(house), None)
    assert next(stream) is None
    move(house)
    assert numbers(stream, 1) == [2]


def test_what_comes_while_it_reads_the_store_comes_once(house: House) -> None:
    for _ in range(3):
        move(house)
    stream = following(house, token_of(house), 0)
    assert numbers(stream, 1) == [1]
    move(house)
    assert numbers(stream, 3) == [2, 3, 4]
    assert next(stream) is None


def test_a_slow_reader_misses_nothing(house: House) -> None:
    stream = following(house, token_of(house), 0)
    assert next(stream) is None
    for _ in range(WAITING_MAX + 20):
        move(house)
    assert numbers(stream, WAITING_MAX + 20) == list(range(1, WAITING_MAX + 21))


def test_class_8_each_event_is_sent_only_to_who_may_see_its_camera(house: House) -> None:
    stream = following(house, token_of(house, frozenset({"hall"})), 0)
    move(house, "garden")
    move(house, "hall")
    house.happens("vigilar/web/user_changed", user="x", change="y", by="z")
    assert numbers(stream, 1) == [2]
    assert next(stream) is None


def test_class_12_a_stream_ends_with_its_session(house: House) -> None:
    token = token_of(house)
    stream = following(house, token, 0)
    move(house)
    assert numbers(stream, 1) == [1]
    house.web.sessions.end_all("ada")
    house.clock.advance(RECHECK_S)
    move(house)
    assert list(stream) == []


def test_class_12_rights_taken_away_count_for_open_streams(house: House) -> None:
    stream = following(house, token_of(house), 0)
    assert next(stream) is None
    house.web.accounts.change("ada", Role.VIEWER, frozenset({"garden"}))
    house.clock.advance(RECHECK_S)
    move(house, "hall")
    move(house, "garden")
    assert numbers(stream, 1) == [2]


def test_without_a_session_nothing_is_sent(house: House) -> None:
    move(house)
    assert list(following(house, "nobody's token", 0)) == []


def test_the_end_of_the_server_ends_every_stream(house: House) -> None:
    token = token_of(house)
    ended = threading.Event()

    def read() -> None:
        for _ in follow(house.web, token, after=0, quiet_s=30):
            pass
        ended.set()

    threading.Thread(target=read).start()
    eventually(lambda: house.web.hub.listeners == 1)
    house.web.hub.close()
    assert ended.wait(5)


def test_the_stream_carries_numbers_to_continue_from(house: House) -> None:
    for _ in range(3):
        move(house)
    answer = house.client().get("/events/stream", headers={"Last-Event-ID": "1"}, buffered=False)
    assert answer.mimetype == "text/event-stream"
    parts = iter(answer.response)
    assert next(parts).startswith(b"retry:")
    first, second = next(parts), next(parts)
    assert first.startswith(b"id: 2\nevent: event\ndata: {")
    assert second.startswith(b"id: 3\n")
    answer.close()
    eventually(lambda: house.web.streams.open == 0)
