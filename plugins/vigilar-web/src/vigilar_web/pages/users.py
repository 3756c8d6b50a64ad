"""Who lives here: users, what they may do, and which cameras they may see."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from vigilar_core.web import NavigationEntry, Role, WebPart, access
from vigilar_web import guard, kinds, links
from vigilar_web.surroundings import current_web

blueprint = Blueprint("users", __name__, url_prefix="/users")
part = WebPart(
    blueprint, [NavigationEntry("People", "users.index", "people", order=90, role=Role.ADMIN)]
)


@blueprint.get("/")
@access(Role.ADMIN)
def index() -> ResponseReturnValue:
    return _page()


@blueprint.post("/")
@access(Role.ADMIN)
def add() -> ResponseReturnValue:
    """Add a user, who signs in first by a link and then chooses a password."""
    web, name = current_web(), request.form.get("name", "").strip()
    try:
        web.accounts.add(name, _role(), cameras=_cameras())
    except ValueError as error:
        return _page(error=str(error)), 422
    _tell(name, "added")
    return _page(link_for=name, link=_link(name))


@blueprint.post("/<name>")
@access(Role.ADMIN)
def change(name: str) -> ResponseReturnValue:
    try:
        current_web().accounts.change(name, _role(), _cameras())
    except ValueError as error:
        return _page(error=str(error)), 422
    _tell(name, "other rights")
    flash(f"Saved what {name} may do.")
    return redirect(url_for("users.index"))


@blueprint.post("/<name>/link")
@access(Role.ADMIN)
def make_link(name: str) -> ResponseReturnValue:
    if current_web().accounts.find(name) is None:
        abort(404)
    _tell(name, "one-time link made")
    return _page(link_for=name, link=_link(name))


@blueprint.post("/<name>/remove")
@access(Role.ADMIN)
def remove(name: str) -> ResponseReturnValue:
    web = current_web()
    try:
        web.accounts.remove(name)
    except ValueError as error:
        return _page(error=str(error)), 422
    web.sessions.end_all(name)
    links.forget(web.engine, name)
    _tell(name, "removed")
    flash(f"{name} is removed and signed out everywhere.")
    return redirect(url_for("users.index"))


def _page(error: str = "", link_for: str = "", link: str = "") -> str:
    accounts = current_web().accounts
    users = [(user, accounts.is_configured(user.name)) for user in accounts.all()]
    return render_template(
        "vigilar/users.html", users=users, error=error, link_for=link_for, link=link
    )


def _role() -> Role:
    try:
        return Role[request.form.get("role", "").upper()]
    except KeyError:
        raise ValueError("choose viewer, operator or administrator") from None


def _cameras() -> frozenset[str] | None:
    """The cameras that were ticked; ``None`` when all are."""
    if request.form.get("scope") != "some":
        return None
    chosen = frozenset(request.form.getlist("camera"))
    if unknown := chosen - set(current_web().household.cameras):
        raise ValueError(f"there is no camera {sorted(unknown)[0][:64]!r}")
    return chosen


def _link(name: str) -> str:
    web = current_web()
    token = links.mint(web.engine, web.clock, name)
    return f"{url_for('sign_in.link_form', _external=True)}#{token}"


def _tell(name: str, what: str) -> None:
    kinds.user_changed(current_web().bus, name, what, guard.signed_in().name)
