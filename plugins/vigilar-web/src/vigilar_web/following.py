"""Following committed events for one person: out of the store first, then as they come."""

from __future__ import annotations

from collections.abc import Iterator

from vigilar_core.events import Event
from vigilar_web.event_log import Wanted
from vigilar_web.hub import Listener
from vigilar_web.sessions import Person
from vigilar_web.surroundings import Web

#: The rights behind a stream are read anew at most this often, and before anything is sent.
RECHECK_S = 2.0
_PAGE = 200


class _Rights:
    """The person behind a token, asked again every few seconds: streams outlive sign-outs."""

    def __init__(self, web: Web, token: str) -> None:
        self._web, self._token = web, token
        self._checked_s = float("-inf")
        self._person: Person | None = None

    def person(self) -> Person | None:
        now_s = self._web.clock.monotonic_s()
        if now_s - self._checked_s >= RECHECK_S:
            self._person = self._web.sessions.person(self._token, touch=False)
            self._checked_s = now_s
        return self._person


def follow(web: Web, token: str, *, after: int | None, quiet_s: float) -> Iterator[Event | None]:
    """Every event behind number ``after`` that the owner of ``token`` may see, in order.

    Gives ``None`` after each ``quiet_s`` without one. Ends with the session or the server.

    :param after: ``None``: from now on
    """
    rights = _Rights(web, token)
    with web.hub.listen() as listener:
        last = web.events.latest_sequence() if after is None else after
        stale = True
        while not listener.closed:
            if stale or listener.overflowed():
                stale = False
                for event in _stored(web, last):
                    last = event.sequence or last
                    yield from _visible(rights, event)
            if rights.person() is None:
                return
            found = _next(listener, last, quiet_s)
            if found is not None and found.sequence is not None:
                last = found.sequence
                yield from _visible(rights, found)
            elif not listener.closed:
                yield None


def _next(listener: Listener, last: int, quiet_s: float) -> Event | None:
    while (event := listener.get(quiet_s)) is not None:
        if event.sequence is not None and event.sequence > last:
            return event
    return None


def _stored(web: Web, after: int) -> Iterator[Event]:
    while page := web.events.behind(after, Wanted(everything=True), limit=_PAGE):
        yield from page
        after = page[-1].sequence or after


def _visible(rights: _Rights, event: Event) -> Iterator[Event]:
    person = rights.person()
    if person is not None and may_see_event(person, event):
        yield event


def may_see_event(person: Person, event: Event) -> bool:
    """Whether an event is about something a person may see."""
    if person.cameras is None:
        return True
    kind, _, id = event.subject.partition("/")
    return kind == "camera" and id in person.cameras
