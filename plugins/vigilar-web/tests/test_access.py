"""Route × role × camera: every route, whoever brings it (attack classes 6 and 7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Blueprint
from web_house import House, csrf_of

from vigilar_core.web import Role, WebPart, access
from vigilar_web import guard

PEOPLE: tuple[Role | None, ...] = (None, Role.VIEWER, Role.OPERATOR, Role.ADMIN)
#: What each route asks for; a new route must be written down here.
EXPECTED = {
    "account.change_password": Role.VIEWER,
    "account.end_session": Role.VIEWER,
    "account.index": Role.VIEWER,
    "api.cameras": Role.VIEWER,
    "api.event": Role.VIEWER,
    "api.events": Role.VIEWER,
    "api.session": Role.VIEWER,
    "api.system_status": Role.VIEWER,
    "api_documents.docs": Role.VIEWER,
    "api_documents.openapi": Role.VIEWER,
    "events.fragment": Role.VIEWER,
    "events.index": Role.VIEWER,
    "events.newer": Role.VIEWER,
    "events.older": Role.VIEWER,
    "feed.socket": Role.VIEWER,
    "feed.stream": Role.VIEWER,
    "health.live": Role.ANYONE,
    "home.index": Role.VIEWER,
    "setup.form": Role.ANYONE,
    "setup.submit": Role.ANYONE,
    "sign_in.form": Role.ANYONE,
    "sign_in.link_form": Role.ANYONE,
    "sign_in.link_submit": Role.ANYONE,
    "sign_in.sign_out": Role.VIEWER,
    "sign_in.submit": Role.ANYONE,
    "system.index": Role.VIEWER,
    "system.status": Role.VIEWER,
    "users.add": Role.ADMIN,
    "users.change": Role.ADMIN,
    "users.index": Role.ADMIN,
    "users.make_link": Role.ADMIN,
    "users.remove": Role.ADMIN,
    "vigilar.static": Role.ANYONE,
}


def a_camera_plugin() -> WebPart:
    """Pages as another plugin brings them: one marked, one for a camera, one forgotten."""
    blueprint = Blueprint("guest", __name__, url_prefix="/guest")
    blueprint.get("/camera/<camera_id>")(
        access(Role.VIEWER, camera="camera_id")(lambda camera_id: camera_id)
    )
    blueprint.get("/act", endpoint="act")(access(Role.OPERATOR)(lambda: "done"))
    blueprint.get("/forgotten", endpoint="forgotten")(lambda: "secret")
    blueprint.get("/astray/<camera>", endpoint="astray")(
        access(Role.VIEWER, camera="camera_id")(lambda camera: camera)
    )
    return WebPart(blueprint)


@pytest.fixture
def with_guest(tmp_path: Path) -> House:
    return House(tmp_path, parts=[a_camera_plugin()])


def routes(house: House) -> Iterator[tuple[str, str, str]]:
    """Endpoint, method, path with placeholders filled in."""
    for rule in house.app.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.endpoint, method, path


def test_every_route_is_written_down_with_its_role(house: House) -> None:
    found = {
        endpoint: mark.role if (mark := guard.mark_of(house.app, endpoint)) else None
        for endpoint, _, _ in routes(house)
    }
    assert found == EXPECTED


@pytest.mark.parametrize("role", PEOPLE, ids=lambda role: role.name if role else "nobody")
def test_class_6_each_route_answers_its_roles_only(house: House, role: Role | None) -> None:
    client = house.client(role)
    csrf = csrf_of(client, "/" if role else "/sign-in")
    for endpoint, method, path in routes(house):
        if endpoint in ("feed.stream", "feed.socket", "sign_in.sign_out"):
            continue
        headers = {"Origin": "https://localhost", "X-CSRFToken": csrf, "Accept": "application/json"}
        status = client.open(path, method=method, headers=headers).status_code
        allowed = (role or Role.ANYONE) >= EXPECTED[endpoint]
        assert (status not in (401, 403)) is allowed or endpoint.startswith("sign_in"), (
            path,
            status,
        )


@pytest.mark.parametrize("path", ["/events/stream", "/api/v1/events"])
def test_class_8_streams_answer_nobody_unknown(house: House, path: str) -> None:
    assert house.client(None).get(path, headers={"Accept": "*/*"}).status_code == 401


@pytest.mark.parametrize("role", PEOPLE, ids=lambda role: role.name if role else "nobody")
def test_class_6_a_view_without_a_mark_answers_nobody(with_guest: House, role: Role | None) -> None:
    answer = with_guest.client(role).get("/guest/forgotten")
    assert answer.status_code == 403
    assert b"secret" not in answer.data


def test_a_marked_view_of_a_guest_answers_its_role(with_guest: House) -> None:
    assert with_guest.client(Role.VIEWER).get("/guest/act").status_code == 403
    assert with_guest.client(Role.OPERATOR).get("/guest/act").data == b"done"


def test_class_7_a_person_reaches_only_the_cameras_given(with_guest: House) -> None:
    client = with_guest.client(Role.VIEWER, ["hall"])
    assert client.get("/guest/camera/hall").data == b"hall"
    for id in ("garden", "nothing", "hall%2f..%2fgarden", "HALL", "hall%00"):
        assert client.get(f"/guest/camera/{id}").status_code == 404


def test_class_7_a_mark_that_names_no_argument_answers_nobody(with_guest: House) -> None:
    assert with_guest.client(Role.ADMIN).get("/guest/astray/hall").status_code == 404


@pytest.fixture
def busy(house: House) -> House:
    for camera in ("hall", "garden"):
        house.happens(f"vigilar/camera/{camera}/motion/start", zones=f"zone of {camera}")
    house.happens("vigilar/web/user_changed", user="somebody", change="x", by="y")
    return house


@pytest.mark.parametrize(
    "path",
    ["/", "/events/", "/events/list", "/events/newer?after=0",
     "/events/?camera=garden", "/api/v1/events", "/api/v1/events?camera=garden", "/api/v1/cameras",
     "/api/v1/events?after=0", "/system/status"],
)  # fmt: skip
def test_class_7_no_page_tells_of_another_camera(busy: House, path: str) -> None:
    text = busy.client(Role.VIEWER, ["hall"]).get(path).get_data(as_text=True)
    assert "garden" not in text.lower().replace("camera=garden", "")
    assert "somebody" not in text
    assert "garden" in busy.client(Role.VIEWER).get(path).get_data(as_text=True).lower()


def test_class_7_one_event_of_another_camera_is_not_there(busy: House) -> None:
    client = busy.client(Role.VIEWER, ["hall"])
    assert [client.get(f"/api/v1/events/{number}").status_code for number in (1, 2, 3)] == [
        200,
        404,
        404,
    ]


def test_a_person_without_any_camera_sees_no_event(busy: House) -> None:
    assert busy.client(Role.VIEWER, []).get("/api/v1/events").get_json()["items"] == []


def test_a_broken_blueprint_costs_only_its_own_pages(tmp_path: Path) -> None:
    twice = [WebPart(Blueprint("home", __name__)), a_camera_plugin()]
    house = House(tmp_path, parts=twice)
    assert house.web.broken_parts == ["home"]
    assert house.client(Role.OPERATOR).get("/guest/act").status_code == 200
    assert "could not be shown: home" in house.client().get("/system/").get_data(as_text=True)
