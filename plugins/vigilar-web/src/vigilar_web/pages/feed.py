"""New events as they are committed: by Server-Sent Events, and by WebSocket behind proxies."""

from __future__ import annotations

import json
from collections.abc import Iterator

from flask import Blueprint, Response, request, session, stream_with_context
from flask_sock import Sock
from simple_websocket import Server

from vigilar_core.web import Role, WebPart, access
from vigilar_web import guard
from vigilar_web.following import follow
from vigilar_web.surroundings import current_web

blueprint = Blueprint("feed", __name__)
part = WebPart(blueprint)
_sock = Sock()

#: A line now and then keeps proxies from closing a quiet stream and finds browsers that left.
QUIET_S = 15.0
#: A socket is looked after so often; the WebSocket protocol has its own pings.
QUIET_SOCKET_S = 1.0
#: How long a browser waits before it connects again, milliseconds.
RETRY_MS = 2000


@blueprint.get("/events/stream")
@access(Role.VIEWER)
def stream() -> Response:
    """Committed events; ``Last-Event-ID`` continues where a broken stream ended."""
    after = _number(request.headers.get("Last-Event-ID") or request.args.get("after"))
    answer = Response(stream_with_context(_lines(after)), mimetype="text/event-stream")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


@_sock.route("/ws", bp=blueprint)  # type: ignore[untyped-decorator]  # flask-sock has no types
@access(Role.VIEWER)
def socket(connection: Server) -> None:
    """The same as JSON messages; ``?after=N`` continues behind event number N.

    Nothing is expected from the browser; one that sends something is hung up on.
    """
    for document in _documents(_number(request.args.get("after")), QUIET_SOCKET_S):
        if document is not None:
            connection.send(json.dumps(document))
        elif connection.receive(timeout=0) is not None:  # raises once the browser has gone
            return


def _lines(after: int | None) -> Iterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    for document in _documents(after, QUIET_S):
        if document is None:
            yield ": quiet\n\n"
        else:
            yield f"id: {document['sequence']}\nevent: event\ndata: {json.dumps(document)}\n\n"


def _documents(after: int | None, quiet_s: float) -> Iterator[dict[str, object] | None]:
    """Events the person may see, ``None`` in quiet times; ends with the session."""
    web, token = current_web(), session.get(guard.TOKEN, "")
    for event in follow(web, token, after=after, quiet_s=quiet_s):
        yield None if event is None else web.household.happening(event).document()


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
