"""The first page: every camera, and what happened last."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from vigilar_core.web import NavigationEntry, Role, WebPart, access
from vigilar_web import guard
from vigilar_web.pages.events import Choice, by_day
from vigilar_web.surroundings import current_web

blueprint = Blueprint("home", __name__)
part = WebPart(blueprint, [NavigationEntry("Home", "home.index", "house", order=10)])

#: How many of the latest events the page shows.
LATEST = 8


@blueprint.get("/")
@access(Role.VIEWER)
def index() -> ResponseReturnValue:
    web, person = current_web(), guard.signed_in()
    newest = web.events.latest_sequence()
    latest = web.events.page(Choice().wanted(), limit=LATEST).events
    cameras = [(id, title) for id, title in web.household.cameras.items() if person.may_see(id)]
    return render_template(
        "vigilar/home.html",
        cameras=cameras,
        states=web.camera_states.all(),
        has_live="live.camera" in current_app.view_functions,
        has_picture="live.picture" in current_app.view_functions,
        days=by_day([web.household.happening(event) for event in latest]),
        newest=newest,
        most=LATEST,
    )
