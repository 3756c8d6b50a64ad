"""What people see when something is wrong: a sentence, a way on, never a traceback."""

from __future__ import annotations

import logging

from flask import Flask, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from vigilar_core.errors import TransientError
from vigilar_web import guard, problem

_TITLES = {
    400: "That request makes no sense",
    401: "Sign in first",
    403: "That is not for you",
    404: "There is nothing here",
    405: "That cannot be done here",
    413: "That is too much at once",
    422: "Something is missing or wrong",
    429: "Too many tries",
    500: "Something broke on our side",
    503: "Too busy at the moment",
}
_log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    app.register_error_handler(HTTPException, _known)
    app.register_error_handler(TransientError, _busy)
    app.register_error_handler(Exception, _unknown)


def _known(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    status = error.code or 500
    if isinstance(error, CSRFError):
        return show(status, "The page was open too long; go back, reload it, and try again.")
    answer = make_response(show(status, error.description or ""))
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            answer.headers[name] = value
    return answer


def _busy(error: TransientError) -> ResponseReturnValue:
    answer = make_response(show(503, f"{error}. Try again in a moment.".capitalize()))
    answer.headers["Retry-After"] = str(round(error.retry_after_s or 5))
    return answer


def _unknown(error: Exception) -> ResponseReturnValue:
    _log.error("view %s failed", request.endpoint, exc_info=error)
    return show(500, InternalServerError.description)


def show(status: int, text: str) -> ResponseReturnValue:
    """An error as a page for people, as a problem document (RFC 9457) for programs."""
    title = _TITLES.get(status, "That did not work")
    if not guard.wants_page():
        return problem.answer(status, title, text)
    return render_template("vigilar/error.html", title=title, text=text, status=status), status
