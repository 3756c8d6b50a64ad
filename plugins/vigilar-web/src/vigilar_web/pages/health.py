"""Signs of life for machines."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from vigilar_core.web import Role, WebPart, access

blueprint = Blueprint("health", __name__, url_prefix="/health")
part = WebPart(blueprint)


@blueprint.get("/live")
@access(Role.ANYONE)
def live() -> ResponseReturnValue:
    """Whether this server answers; says nothing about the house."""
    return jsonify(status="ok")
