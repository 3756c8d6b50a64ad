"""How the system is: every service and plugin, the disks, the versions."""

from __future__ import annotations

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from vigilar_core.web import NavigationEntry, Role, WebPart, access
from vigilar_web import guard
from vigilar_web.surroundings import current_web
from vigilar_web.system_state import SystemState, system_state

blueprint = Blueprint("system", __name__, url_prefix="/system")
part = WebPart(blueprint, [NavigationEntry("System", "system.index", "activity", order=80)])


@blueprint.get("/")
@access(Role.VIEWER)
def index() -> ResponseReturnValue:
    web = current_web()
    state = system_state(web.paths)
    troubled = [each for each in state.services if not each.is_well]
    broken = [each for each in state.plugins if each.state == "broken"]
    return render_template(
        "vigilar/system.html",
        state=state,
        trouble_count=len(troubled) + len(broken) + len(web.broken_parts),
        since=web.household.moment(state.since_us) if state.since_us else None,
        broken_parts=web.broken_parts,
        encrypted=request.is_secure,
    )


@blueprint.get("/status")
@access(Role.VIEWER)
def status() -> ResponseReturnValue:
    """The same for programs."""
    return jsonify(status_document())


def status_document() -> dict[str, object]:
    """Services, cameras, disks and versions."""
    web, person = current_web(), guard.signed_in()
    state: SystemState = system_state(web.paths)
    document = state.model_dump(mode="json")
    document["cameras"] = [
        {"id": id, "title": title, "phase": web.camera_states.of(id).phase.value}
        for id, title in web.household.cameras.items()
        if person.may_see(id)
    ]
    return document
