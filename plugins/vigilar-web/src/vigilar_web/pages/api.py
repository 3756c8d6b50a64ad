"""The API for programs, ``/api/v1``, with its description in OpenAPI and a page to read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from flask import Blueprint, Response, abort, current_app, jsonify, make_response, render_template
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.openapi import OpenAPI
from flask_wtf.csrf import generate_csrf
from pydantic import BaseModel, ConfigDict, Field

from vigilar_core.bus import topics
from vigilar_core.events import Event, Severity
from vigilar_core.web import Role, WebPart, access
from vigilar_web import guard, problem
from vigilar_web.event_log import Wanted
from vigilar_web.following import may_see_event
from vigilar_web.pages.system import status_document
from vigilar_web.surroundings import current_web
from vigilar_web.system_state import SystemState

_SEQUENCE_MAX = 2**63 - 1
_TIME_US_MAX = 253_402_300_799_999_999  # the end of the year 9999

blueprint = APIBlueprint(
    "api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="core")],
    abp_security=[{"session": []}],
    abp_responses={
        401: problem.described("Nobody is signed in"),
        403: problem.described("The person may not do this"),
        404: problem.described("There is no such thing, or the person may not see it"),
        422: problem.described("A parameter is missing or wrong"),
    },
)
documents = Blueprint("api_documents", __name__, url_prefix="/api")


class EventsQuery(BaseModel):
    """Which events: the latest, older pages by ``cursor``; or those committed ``after`` one."""

    model_config = ConfigDict(extra="forbid")

    camera: str | None = Field(None, pattern=f"^{topics.ID_PATTERN}$")
    kind: str | None = Field(None, pattern=r"^[a-z0-9_]{1,64}$")
    severity: Severity | None = Field(None, description="least severity")
    since_us: int | None = Field(None, ge=0, le=_TIME_US_MAX, description="from then on")
    until_us: int | None = Field(None, ge=0, le=_TIME_US_MAX, description="before then")
    cursor: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_-]{1,40}$", description="`next` of a page"
    )
    after: int | None = Field(
        None, ge=0, le=_SEQUENCE_MAX, description="committed after this number, oldest first"
    )
    limit: int = Field(50, ge=1, le=200)

    def wanted(self) -> Wanted:
        person = guard.signed_in()
        cameras = frozenset({self.camera}) if self.camera else None
        if person.cameras is not None:
            cameras = person.cameras if cameras is None else cameras & person.cameras
        return Wanted(
            cameras=cameras,
            kind=self.kind,
            severity=self.severity,
            since_us=self.since_us,
            until_us=self.until_us,
            everything=True,
        )


class EventPath(BaseModel):
    sequence: int = Field(ge=0, le=_SEQUENCE_MAX)


class EventDocument(BaseModel):
    """An event, with its words."""

    sequence: int
    id: str
    kind: str
    severity: Severity
    subject: str
    camera: str | None
    source: str
    time_us: int = Field(description="microseconds since 1970 UTC")
    time: str = Field(description="the same in the house's time zone, RFC 3339")
    title: str
    text: str
    data: dict[str, Any]
    caused_by: str | None


class EventsDocument(BaseModel):
    items: list[EventDocument]
    next: str | None = Field(description="`cursor` of the next page; null: there is none")


class CameraDocument(BaseModel):
    id: str
    title: str
    phase: str = Field(description="unknown, online, offline or silent")
    moving: bool


class CamerasDocument(BaseModel):
    items: list[CameraDocument]


class SessionDocument(BaseModel):
    user: str
    role: str
    cameras: list[str] | None = Field(description="null: all")
    csrf_token: str = Field(
        description="header X-CSRFToken of every request that changes something"
    )


@blueprint.get("/events", responses={200: EventsDocument})
@access(Role.VIEWER)
def events(query: EventsQuery) -> Response:
    """Events"""
    web = current_web()
    if query.after is not None:
        found = web.events.behind(query.after, query.wanted(), limit=query.limit)
        return _events(found, None)
    try:
        page = web.events.page(query.wanted(), cursor=query.cursor, limit=query.limit)
    except ValueError as error:
        return problem.answer(422, "Something is missing or wrong", str(error))
    return _events(page.events, page.next)


@blueprint.get("/events/<sequence>", responses={200: EventDocument})
@access(Role.VIEWER)
def event(path: EventPath) -> Response:
    """One event"""
    web = current_web()
    found = web.events.one(path.sequence)
    if found is None or not may_see_event(guard.signed_in(), found):
        abort(404)
    return jsonify(web.household.happening(found).document())


def _events(found: Sequence[Event], next: str | None) -> Response:
    house = current_web().household
    return jsonify(items=[house.happening(event).document() for event in found], next=next)


@blueprint.get("/cameras", responses={200: CamerasDocument})
@access(Role.VIEWER)
def cameras() -> Response:
    """Cameras and how they are"""
    web, person = current_web(), guard.signed_in()
    states = web.camera_states.all()
    shown = [(id, title) for id, title in web.household.cameras.items() if person.may_see(id)]
    documents = []
    for id, title in shown:
        state = states.get(id)
        documents.append(
            {
                "id": id,
                "title": title,
                "phase": state.phase.value if state else "unknown",
                "moving": bool(state and state.moving),
            }
        )
    return jsonify(items=documents)


@blueprint.get("/system/status", responses={200: SystemState})
@access(Role.VIEWER)
def system_status() -> Response:
    """Services, cameras, disks, versions"""
    return jsonify(status_document())


@blueprint.get("/session", responses={200: SessionDocument})
@access(Role.VIEWER)
def session() -> Response:
    """Who asks"""
    person = guard.signed_in()
    return jsonify(
        user=person.name,
        role=person.role.name.lower(),
        cameras=None if person.cameras is None else sorted(person.cameras),
        csrf_token=generate_csrf(),
    )


@documents.get("/v1/openapi.json")
@access(Role.VIEWER)
def openapi() -> Response:
    return jsonify(_description())


@documents.get("/docs")
@access(Role.VIEWER)
def docs() -> Response:
    return make_response(render_template("vigilar/api.html", api=_description()))


def _description() -> dict[str, Any]:
    return cast(OpenAPI, current_app).api_doc


part = WebPart(blueprint)
documents_part = WebPart(documents)
