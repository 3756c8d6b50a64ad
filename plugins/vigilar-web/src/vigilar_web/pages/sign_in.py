"""Signing in, by password or by a one-time link, and out."""

from __future__ import annotations

from flask import Blueprint, current_app, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from itsdangerous import BadData, URLSafeTimedSerializer

from vigilar_core.web import Role, WebPart, access
from vigilar_web import guard, kinds, links, lockout, tokens
from vigilar_web.accounts import PASSWORD_CHARACTERS_MAX, User
from vigilar_web.passwords import password_matches
from vigilar_web.surroundings import current_web

blueprint = Blueprint("sign_in", __name__)
part = WebPart(blueprint)

_KNOWN_FOR_S = 365 * 86_400
_NAME_CHARACTERS_MAX = 64


@blueprint.get("/sign-in")
@access(Role.ANYONE)
def form() -> ResponseReturnValue:
    if guard.person() is not None:
        return redirect(guard.safe_next(request.args.get("next", "/")))
    return _form()


@blueprint.post("/sign-in")
@access(Role.ANYONE)
def submit() -> ResponseReturnValue:
    web = current_web()
    name = request.form.get("name", "")[:_NAME_CHARACTERS_MAX].strip()
    password = request.form.get("password", "")[: PASSWORD_CHARACTERS_MAX + 1]
    buckets = lockout.buckets(name, request.remote_addr or "", _known_browser(name))
    if (wait_s := web.lockout.begin(buckets)) > 0:
        return _blocked(wait_s)
    user = web.accounts.find(name)
    if not password_matches(password, user.password_hash if user else "") or user is None:
        _tell_when_blocked(name, web.lockout.left_s(buckets))
        return _form("The name or the password is wrong."), 401
    web.lockout.succeed(buckets)
    return _open_session(user, guard.safe_next(request.form.get("next", "/")))


@blueprint.get("/sign-in/link")
@access(Role.ANYONE)
def link_form() -> ResponseReturnValue:
    """A button; the token stands behind the ``#`` and is sent when the button is pressed."""
    return render_template("vigilar/sign_in_link.html")


@blueprint.post("/sign-in/link")
@access(Role.ANYONE)
def link_submit() -> ResponseReturnValue:
    web = current_web()
    address = lockout.of_address(request.remote_addr or "")
    if (wait_s := web.lockout.begin([address])) > 0:
        return _blocked(wait_s)
    name = links.redeem(web.engine, web.clock, request.form.get("token", "").strip()[:200])
    user = web.accounts.find(name) if name is not None else None
    if user is None:
        text = "This link was used before or is older than ten minutes. Ask for another."
        return render_template("vigilar/sign_in_link.html", error=text), 401
    web.lockout.succeed([address])
    return _open_session(user, "/")


@blueprint.post("/sign-out")
@access(Role.VIEWER)
def sign_out() -> ResponseReturnValue:
    current_web().sessions.end(guard.signed_in().session_id)
    session.clear()
    return redirect("/sign-in")


def start_session(user: User) -> None:
    """Sign a user in under a new token; whatever the browser brought is dropped."""
    session.clear()
    session.permanent = True
    session[guard.TOKEN] = current_web().sessions.open(
        user,
        address=request.remote_addr or "",
        browser=request.headers.get("User-Agent", ""),
    )


def _open_session(user: User, target: str) -> ResponseReturnValue:
    start_session(user)
    kinds.signed_in(current_web().bus, user.name, request.remote_addr or "")
    answer = make_response(redirect(target))
    tls = current_web().own.reached_by_tls
    answer.set_cookie(
        _browser_cookie(tls),
        _serializer().dumps([user.name, _known_browser(user.name) or tokens.new_token()]),
        max_age=_KNOWN_FOR_S,
        secure=tls,
        httponly=True,
        samesite="Strict",
        path="/",
    )
    return answer


def _form(error: str = "") -> str:
    target = request.values.get("next", "")
    return render_template("vigilar/sign_in.html", error=error, next=guard.safe_next(target))


def _blocked(wait_s: int) -> ResponseReturnValue:
    wait = f"{wait_s} seconds" if wait_s < 120 else f"{-(-wait_s // 60)} minutes"
    text = f"Too many wrong tries. Wait {wait}, then try again."
    return _form(text), 429, {"Retry-After": str(wait_s)}


def _tell_when_blocked(name: str, wait_s: int) -> None:
    if wait_s > 0:
        kinds.sign_in_blocked(current_web().bus, name, request.remote_addr or "", wait_s)


def _known_browser(name: str) -> str | None:
    """The id of this browser, if it has signed in as this user before."""
    value = request.cookies.get(_browser_cookie(current_web().own.reached_by_tls), "")
    try:
        user_name, browser = _serializer().loads(value, max_age=_KNOWN_FOR_S)
    except (BadData, ValueError, TypeError):
        return None
    return browser if user_name == name and isinstance(browser, str) else None


def _browser_cookie(tls: bool) -> str:
    return "__Host-vigilar-browser" if tls else "vigilar-browser"


def _serializer() -> URLSafeTimedSerializer:
    assert current_app.secret_key is not None
    return URLSafeTimedSerializer(current_app.secret_key, salt="known-browser")
