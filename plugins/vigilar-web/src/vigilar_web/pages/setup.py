"""The first minutes: making the first administrator, on the machine itself, once."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from vigilar_core.web import Role, WebPart, access
from vigilar_web import accounts, guard, kinds
from vigilar_web.hosts import host_name, is_loopback
from vigilar_web.pages.sign_in import start_session
from vigilar_web.surroundings import current_web

blueprint = Blueprint("setup", __name__)
part = WebPart(blueprint)


@blueprint.get("/setup")
@access(Role.ANYONE)
def form() -> ResponseReturnValue:
    _refuse_unless_waiting()
    return render_template("vigilar/setup.html", name=current_web().own.username)


@blueprint.post("/setup")
@access(Role.ANYONE)
def submit() -> ResponseReturnValue:
    _refuse_unless_waiting()
    web = current_web()
    name = request.form.get("name", "").strip()
    try:
        password = _password()
        accounts.check_name(name)
    except ValueError as error:
        return _again(name, str(error)), 422
    if not web.setup_token.use(request.form.get("token", "").strip()[:200]):
        return _again(name, "The code is wrong. It stands in the log and in the set-up file."), 403
    user = web.accounts.add(name, Role.ADMIN, password=password)
    kinds.user_changed(web.bus, name, "first administrator", name)
    start_session(user)
    web.needs_set_up = False
    return render_template("vigilar/setup_done.html", user=user)


def _refuse_unless_waiting() -> None:
    if not current_web().needs_set_up:
        abort(404)
    own = host_name(request.host)
    if not (own == "localhost" or is_loopback(own)) or guard.person() is not None:
        abort(403, "The set-up page answers to localhost only.")


def _password() -> str:
    password = accounts.check_password(request.form.get("password", ""))
    if password != request.form.get("again", ""):
        raise ValueError("the two passwords differ")
    return password


def _again(name: str, error: str) -> str:
    return render_template("vigilar/setup.html", name=name[:64], error=error)
