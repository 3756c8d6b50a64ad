"""A person's own matters: the password, and where they are signed in."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from vigilar_core.web import Role, WebPart, access
from vigilar_web import accounts, guard, kinds, lockout
from vigilar_web.browsers import browser_name
from vigilar_web.pages.sign_in import start_session
from vigilar_web.passwords import password_matches
from vigilar_web.surroundings import current_web

blueprint = Blueprint("account", __name__, url_prefix="/account")
part = WebPart(blueprint)


@blueprint.get("/")
@access(Role.VIEWER)
def index() -> ResponseReturnValue:
    return _page()


@blueprint.post("/password")
@access(Role.VIEWER)
def change_password() -> ResponseReturnValue:
    web, person = current_web(), guard.signed_in()
    user = web.accounts.find(person.name)
    if user is None:
        abort(401)
    bucket = lockout.Bucket(f"session:{person.session_id}", 5)
    if (wait_s := web.lockout.begin([bucket])) > 0:
        return _page(f"Too many wrong tries. Wait {wait_s} seconds."), 429
    if user.password_hash and not password_matches(
        request.form.get("current", "")[: accounts.PASSWORD_CHARACTERS_MAX + 1], user.password_hash
    ):
        return _page("The present password is wrong."), 422
    web.lockout.succeed([bucket])
    if request.form.get("password", "") != request.form.get("again", ""):
        return _page("The two new passwords differ."), 422
    try:
        changed = web.accounts.set_password(user.name, request.form.get("password", ""))
    except ValueError as error:
        return _page(f"{error}.".capitalize()), 422
    web.sessions.end_all(user.name)
    kinds.user_changed(web.bus, user.name, "new password", user.name)
    start_session(changed)
    flash("Your password is changed. Everywhere else you are signed out.")
    return redirect(url_for("account.index"))


@blueprint.post("/sessions/<id>/end")
@access(Role.VIEWER)
def end_session(id: str) -> ResponseReturnValue:
    web, person = current_web(), guard.signed_in()
    if id not in {each.id for each in web.sessions.of(person.name)}:
        abort(404)
    web.sessions.end(id)
    if id == person.session_id:
        session.clear()
        return redirect(url_for("sign_in.form"))
    flash("Signed out there.")
    return redirect(url_for("account.index"))


def _page(error: str = "") -> str:
    web, person = current_web(), guard.signed_in()
    user = web.accounts.find(person.name)
    return render_template(
        "vigilar/account.html",
        error=error,
        has_password=bool(user and user.password_hash),
        sessions=[(each, browser_name(each.browser)) for each in web.sessions.of(person.name)],
        characters_min=accounts.PASSWORD_CHARACTERS_MIN,
    )
