"""A limit on answers that do not end by themselves, so that short ones always find a thread."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from flask import Flask, Response, abort, g, request
from werkzeug.exceptions import ServiceUnavailable

#: Streams of all browsers, and of one session; the server has more threads than that.
STREAMS_MAX = 160
STREAMS_MAX_PER_SESSION = 40


class StreamSlots:
    """Counts open streams by owner."""

    def __init__(self, total: int = STREAMS_MAX, each: int = STREAMS_MAX_PER_SESSION) -> None:
        self._total, self._each = total, each
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, owner: str) -> Callable[[], None] | None:
        """A function that gives the slot back, harmless when called again; ``None``: all taken."""
        with self._lock:
            if self._open.total() >= self._total or self._open[owner] >= self._each:
                return None
            self._open[owner] += 1
        once = threading.Lock()

        def release() -> None:
            if once.acquire(blocking=False):
                with self._lock:
                    self._open[owner] -= 1
                    if not self._open[owner]:
                        del self._open[owner]

        return release

    @property
    def open(self) -> int:
        with self._lock:
            return self._open.total()


def limit_streams(app: Flask, slots: StreamSlots) -> None:
    """Hold every stream of an application to the limit, whichever plugin answers it."""

    def before() -> None:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            g.release_stream = _take_or_abort(slots)

    def after(response: Response) -> Response:
        # Files pass straight through to the socket; every other body of unknown length streams.
        if response.is_streamed and not response.direct_passthrough:
            release = slots.take(_owner())
            if release is None:
                response.close()
                return _busy()
            response.call_on_close(release)
        return response

    def teardown(_error: BaseException | None) -> None:
        if (release := g.pop("release_stream", None)) is not None:
            release()

    app.before_request(before)
    app.after_request(after)
    app.teardown_request(teardown)


def _take_or_abort(slots: StreamSlots) -> Callable[[], None]:
    release = slots.take(_owner())
    if release is None:
        abort(_busy())
    return release


def _busy() -> Response:
    error = ServiceUnavailable("too many live views are open", retry_after=30)
    return Response(error.description, 503, {"Retry-After": "30"}, mimetype="text/plain")


def _owner() -> str:
    person = g.get("person")
    return person.session_id if person is not None else f"address:{request.remote_addr}"
