"""Who may call what: the one place every request passes before its view.

A view without a mark answers nobody. Whatever changes something needs a token of the page
(Flask-WTF) and comes from a page of this server (``Origin``, RFC 6454).
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    g,
    redirect,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from vigilar_core.web import Access, Role, access_of
from vigilar_web import problem
from vigilar_web.hosts import host_allowed, is_loopback
from vigilar_web.sessions import Person
from vigilar_web.surroundings import current_web

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: Key of the session's token in the signed cookie.
TOKEN = "token"  # noqa: S105 - a name, not a token
_log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    """Put the guard in front of every view."""
    app.before_request(_check_host)
    app.before_request(_check_set_up)
    app.before_request(_load_person)
    app.before_request(_check_access)
    app.before_request(_check_origin)


def person() -> Person | None:
    """Who makes the present request."""
    found = g.get("person")
    return found if isinstance(found, Person) else None


def signed_in() -> Person:
    """Who makes the present request; for views that only signed-in people reach."""
    found = person()
    if found is None:
        abort(401)
    return found


def mark_of(app: Flask, endpoint: str) -> Access | None:
    """The mark of a route; files of a blueprint's static folder are for anyone."""
    view = app.view_functions[endpoint]
    if getattr(view, "__func__", None) is Blueprint.send_static_file:
        return Access(Role.ANYONE)
    return access_of(view)


def wants_page() -> bool:
    """Whether a person looks at the answer, rather than a program."""
    return (
        not request.path.startswith("/api/v")
        and "HX-Request" not in request.headers
        and "Upgrade" not in request.headers
        and request.accept_mimetypes.accept_html
        and "text/html" in request.headers.get("Accept", "")
    )


def safe_next(target: str) -> str:
    """Where to go after signing in: a path of this server, else the first page."""
    parts = urlsplit(target)
    local = target.startswith("/") and not target.startswith(("//", "/\\"))
    if not local or parts.scheme or parts.netloc or any(ord(letter) < 32 for letter in target):
        return "/"
    return target.replace("\\", "/") if "\\" not in target else "/"


def _check_host() -> None:
    if not host_allowed(request.host, current_web().host_names):
        abort(400, "This server is not known by that name; see allowed_hosts in [web].")


def _check_set_up() -> ResponseReturnValue | None:
    web = current_web()
    endpoint = request.endpoint or ""
    if endpoint in ("health.live", "vigilar.static") or not web.waits_for_set_up():
        return None
    if not is_loopback(request.remote_addr):
        abort(403, "Nobody has set this system up yet; that is done on the machine itself.")
    if request.blueprint == "setup":
        return None
    return redirect(url_for("setup.form")) if wants_page() else abort(503)


def _load_person() -> None:
    token = session.get(TOKEN)
    g.person = current_web().sessions.person(token) if isinstance(token, str) else None
    if token is not None and g.person is None:
        session.clear()


def _check_access() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None
    mark = mark_of(current_app, request.endpoint)
    if mark is None:
        _log.error("view %s carries no access mark and is refused", request.endpoint)
        abort(403)
    if mark.role is Role.ANYONE:
        return None
    found = person()
    if found is None:
        return _ask_to_sign_in()
    if found.role < mark.role:
        abort(403)
    if mark.camera is not None:
        camera_id = (request.view_args or {}).get(mark.camera)
        # Not "forbidden": that would tell which cameras there are.
        if not isinstance(camera_id, str) or not found.may_see(camera_id):
            abort(404)
    return None


def _ask_to_sign_in() -> ResponseReturnValue:
    if wants_page() and request.method == "GET":
        here = request.full_path if request.query_string else request.path
        return redirect(url_for("sign_in.form", next=None if here == "/" else here))
    answer = problem.answer(401, "Sign in first")
    if "HX-Request" in request.headers:
        answer.headers["HX-Redirect"] = url_for("sign_in.form")
    return answer


def _check_origin() -> None:
    upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
    if request.method in _SAFE and not upgrade:
        return
    origin = request.headers.get("Origin")
    if origin is not None:
        if origin.lower() != request.host_url.rstrip("/").lower():
            abort(403, "This request came from another site.")
    elif upgrade or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        abort(403, "This request came from another site.")
