"""Reading the whole body of a request, up to a limit, before the application runs."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Longest body; forms and JSON are far shorter.
BODY_BYTES_MAX = 1024 * 1024


class WholeRequests:
    """Lets only whole requests through: a sender who dawdles must not hold a view.

    :param arrived: called in the request's thread once all of it is there
    """

    def __init__(self, app: WSGIApplication, arrived: Callable[[], None]) -> None:
        self._app, self._arrived = app, arrived

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not _declared_ok(environ):
            return _too_long(start_response)
        if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
            body = environ["wsgi.input"].read(BODY_BYTES_MAX + 1)
            if len(body) > BODY_BYTES_MAX:
                return _too_long(start_response)
            environ["wsgi.input"] = io.BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
            environ.pop("HTTP_TRANSFER_ENCODING", None)
        self._arrived()
        return self._app(environ, start_response)


def _declared_ok(environ: WSGIEnvironment) -> bool:
    length = environ.get("CONTENT_LENGTH") or "0"
    return length.isdigit() and int(length[:20]) <= BODY_BYTES_MAX


def _too_long(start_response: StartResponse) -> Iterable[bytes]:
    text = b"The request is too long.\n"
    headers = [
        ("Content-Type", "text/plain"),
        ("Content-Length", str(len(text))),
        ("Connection", "close"),
    ]
    start_response("413 Content Too Large", headers)
    return [text]
