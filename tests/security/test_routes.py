"""Every route of every plugin, assembled: who may, which camera, and nothing changes by GET."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

import pytest
from werkzeug.routing import Rule

from tests.security.assembled import ENDLESS, Assembled
from vigilar_core.web import Role
from vigilar_web import guard

PEOPLE: Final[tuple[Role | None, ...]] = (None, Role.VIEWER, Role.OPERATOR, Role.ADMIN)
#: What the routes of other plugins than the web ask for; a new route must be written down here.
EXPECTED: Final = {
    "live.camera": Role.VIEWER,
    "live.fragments": Role.VIEWER,
    "live.hls": Role.VIEWER,
    "live.index": Role.VIEWER,
    "live.picture": Role.VIEWER,
    "live.pictures": Role.VIEWER,
    "live.static": Role.ANYONE,
    "recordings.at": Role.VIEWER,
    "recordings.delete": Role.OPERATOR,
    "recordings.download": Role.OPERATOR,
    "recordings.index": Role.VIEWER,
    "recordings.record": Role.OPERATOR,
    "recordings.show": Role.VIEWER,
    "recordings.star": Role.OPERATOR,
    "recordings.static": Role.ANYONE,
    "recordings.thumbnail": Role.VIEWER,
    "recordings.thumbnail_at": Role.VIEWER,
    "recordings.video": Role.VIEWER,
    "recordings_api.delete": Role.OPERATOR,
    "recordings_api.record": Role.OPERATOR,
    "recordings_api.recording": Role.VIEWER,
    "recordings_api.recordings": Role.VIEWER,
    "recordings_api.star": Role.OPERATOR,
    "recordings_api.thumbnail": Role.VIEWER,
    "recordings_api.video": Role.VIEWER,
}
#: Blueprints of the web plugin, whose own tests write down what they ask for.
OF_THE_WEB: Final = frozenset(
    {"account", "api", "api_documents", "events", "feed", "health", "home", "setup", "sign_in",
     "system", "users", "vigilar"}
)  # fmt: skip
#: Routes that lead to one camera or to one recording of it.
OF_A_CAMERA: Final = frozenset({"camera_id", "recording_id"})


def guests(assembled: Assembled) -> Iterator[tuple[Rule, str]]:
    """Route and method of everything that plugins brought."""
    for rule in assembled.routes():
        if rule.endpoint.partition(".")[0] not in OF_THE_WEB:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method


def test_class_6_every_route_of_a_plugin_is_written_down_with_its_role(
    assembled: Assembled,
) -> None:
    found = {
        rule.endpoint: mark.role if (mark := guard.mark_of(assembled.app, rule.endpoint)) else None
        for rule, _ in guests(assembled)
    }
    assert found == EXPECTED
    assert assembled.web.broken_parts == []


@pytest.mark.parametrize("role", PEOPLE, ids=lambda role: role.name if role else "nobody")
def test_class_6_each_route_of_a_plugin_answers_its_roles_only(
    assembled: Assembled, role: Role | None
) -> None:
    client, asked = assembled.client(role), 0
    for rule, method in guests(assembled):
        allowed = (role or Role.ANYONE) >= EXPECTED[rule.endpoint]
        if allowed and (rule.endpoint in ENDLESS or method != "GET"):
            continue  # these are answered; what they do has tests of its own
        status = assembled.ask(client, rule, method).status_code
        assert (status not in (401, 403)) is allowed, (rule.rule, method, status)
        asked += 1
    assert asked >= 15


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.ADMIN], ids=lambda r: r.name)
def test_class_7_no_route_of_another_camera_answers_whoever_has_only_one(
    assembled: Assembled, role: Role
) -> None:
    client, asked = assembled.client(role, ["garden"]), set()
    before, files = assembled.everything(), assembled.files()
    for rule, method in guests(assembled):
        if not rule.arguments & OF_A_CAMERA:
            continue
        status = assembled.ask(client, rule, method).status_code
        allowed = role >= EXPECTED[rule.endpoint]
        assert status in ((404, 422) if allowed else (403, 404)), (rule.rule, status)
        asked.add(rule.endpoint)
    assert {name for name in EXPECTED if name not in _WITHOUT_A_CAMERA} == asked
    assert (assembled.everything(), assembled.files()) == (before, files)
    address = f"/recordings/{assembled.recordings['garden']}/video.mp4"
    own = client.get(address, buffered=True)
    assert own.status_code == 200, "the control: one's own camera is shown"


_WITHOUT_A_CAMERA = {
    "live.index", "live.static", "recordings.index", "recordings.static",
    "recordings_api.recordings",
}  # fmt: skip


def test_class_7_no_list_tells_of_another_camera(assembled: Assembled) -> None:
    client, recording = assembled.client(Role.VIEWER, ["garden"]), assembled.recordings["hall"]
    lists = ("/", "/live", "/recordings/", "/recordings/?camera=hall", "/api/v1/recordings",
             "/api/v1/recordings?camera=hall", "/api/v1/events", "/events/", "/api/v1/cameras",
             "/system/", "/api/v1/system/status")  # fmt: skip
    for path in lists:
        text = client.get(path).get_data(as_text=True)
        assert recording not in text, path
        assert "Hall" not in text, path
    assert recording in assembled.client(Role.VIEWER).get("/recordings/").get_data(as_text=True)


TRAVERSALS: Final = (
    "../../../../etc/passwd", "..\\..\\..\\..\\etc\\passwd", "/etc/passwd", "//etc/passwd",
    "..", ".", "....//....//etc/passwd", "bait", "../bait", "../../bait", "../data/bait",
    "%2e%2e/bait", "..%2fbait", "..%5cbait", "%252e%252e%252fbait", "..;/bait", "\0", "bait\0.ts",
    "\u2025/bait", "\uff0e\uff0e\uff0fbait", "~/bait", "file:///etc/passwd", "C:\\bait",
    "x" * 4000, "‮tiab", "live.m3u8/../../bait",
)  # fmt: skip
BAIT: Final = b"you should not read this"


@pytest.fixture
def baited(assembled: Assembled) -> Assembled:
    """Files that no route may serve, in every folder of the installation."""
    for folder in (assembled.paths.data_dir, assembled.paths.hls_dir,
                   assembled.paths.recordings_dir, assembled.paths.runtime_dir,
                   assembled.paths.data_dir.parent):  # fmt: skip
        (folder / "bait").write_bytes(BAIT)
    return assembled


def test_class_1_no_name_in_any_route_leads_to_a_file(baited: Assembled) -> None:
    client, asked = baited.client(Role.ADMIN), 0
    for rule in baited.routes():
        if rule.endpoint in ENDLESS or "GET" not in (rule.methods or ()):
            continue
        for place in rule.arguments:
            for corpus in TRAVERSALS:
                for text in (quote(corpus, safe=""), quote(corpus, safe="/\\%;.~:")):
                    answer = baited.ask(client, rule, **{place: text})
                    said = (answer.request.path, answer.status)
                    assert answer.status_code in (200, 204, 302, 308, 400, 404, 405, 422), said
                    assert BAIT not in answer.data, said
                    assert b"root:" not in answer.data, said
                    asked += 1
    assert asked > 500


def test_class_1_control_the_bait_would_be_seen(baited: Assembled) -> None:
    segments = baited.paths.hls_dir / "hall"
    segments.mkdir(parents=True, exist_ok=True)
    (segments / "live.m3u8").write_bytes(BAIT)
    assert baited.client(Role.ADMIN).get("/live/hall/hls/live.m3u8", buffered=True).data == BAIT


def test_class_11_no_get_changes_anything(assembled: Assembled) -> None:
    client = assembled.client(Role.ADMIN)
    before, files, told = assembled.everything(), assembled.files(), len(assembled.bus.events)
    wishes = {"action": "start", "starred": "1", "name": "eve", "role": "admin", "minutes": "5",
              "password": "x" * 12, "csrf_token": "x", "_method": "DELETE"}  # fmt: skip
    asked = 0
    for rule in assembled.routes():
        if "GET" in (rule.methods or ()) and rule.endpoint not in ENDLESS:
            for headers in ({}, {"X-HTTP-Method-Override": "DELETE"}):
                path = assembled.path(rule)
                for method in (client.get, client.head):
                    method(path, query_string=wishes, headers=headers, buffered=True)
                asked += 1
    assert asked > 50
    assert assembled.everything() == before
    assert assembled.files() == files
    assert len(assembled.bus.events) == told
    requests = [each.topic for each in assembled.bus.states if each.topic.endswith("/record")]
    assert requests == []


def test_class_11_control_a_post_changes_what_a_get_must_not(assembled: Assembled) -> None:
    before = assembled.everything()
    path = f"/recordings/{assembled.recordings['garden']}/star"
    assert assembled.client(Role.ADMIN).post(path, data={"starred": "1"}).status_code == 303
    assert assembled.everything() != before


@pytest.mark.parametrize(
    "text", ["' OR '1'='1", "'; DROP TABLE recordings; --", '" UNION SELECT * FROM web_users --',
             "hall' AND sqlite_version() > '", "%", "_", "\\"],
)  # fmt: skip
def test_class_9_no_filter_of_any_list_is_taken_for_a_statement(
    assembled: Assembled, text: str
) -> None:
    client, before = assembled.client(Role.ADMIN), assembled.everything()
    recordings = set(assembled.recordings.values())
    for path in ("/recordings/", "/api/v1/recordings", "/events/", "/events/older",
                 "/events/newer", "/api/v1/events"):  # fmt: skip
        for name in ("camera", "trigger", "starred", "day", "before", "cursor", "kind", "severity",
                     "after", "since_us", "limit", "from", "until", "t"):  # fmt: skip
            answer = client.get(path, query_string={name: text}, buffered=True)
            assert answer.status_code in (200, 400, 422), (path, name)
            if name in ("camera", "trigger") and answer.status_code == 200:
                shown = answer.get_data(as_text=True)
                assert not any(each in shown for each in recordings), (path, name)
    for rule in assembled.routes():
        for place in rule.arguments & {"recording_id", "sequence", "name", "user"}:
            assembled.ask(client, rule, **{place: quote(text, safe="")})
    assert assembled.everything() == before


def test_class_22_giant_names_are_refused_quickly_by_every_route(assembled: Assembled) -> None:
    client = assembled.client(Role.ADMIN)
    for giant in ("a" * 4096, "é" * 1300, "((" * 2000 + "a!", "0" * 4096, "1-" * 2000):
        for rule in assembled.routes():
            if rule.endpoint in ENDLESS or "GET" not in (rule.methods or ()):
                continue
            for place in rule.arguments:
                answer = assembled.ask(client, rule, **{place: quote(giant, safe="")})
                assert answer.status_code in (204, 308, 400, 404, 414, 422), rule.rule
