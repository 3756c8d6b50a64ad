"""One test for each class of published hole that this surface could have."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from web_house import PASSWORD, PASSWORD_HASH, House, csrf_of, post

from vigilar_core.store.engine import open_engine, store_url
from vigilar_core.web import Role
from vigilar_web.headers import CONTENT_SECURITY_POLICY

TRAVERSALS = (
    "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "..\\..\\etc\\passwd", "/etc/passwd",
    "%2e%2e/%2e%2e/etc/passwd", "....//....//etc/passwd", "..%5c..%5cetc%5cpasswd", "..%00/",
    "vendor/../../vigilar_web/settings.py", "%252e%252e%252fsettings.py",
)  # fmt: skip
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
INJECTIONS = ("' OR '1'='1", "'; DROP TABLE web_users; --", '" UNION SELECT * FROM web_sessions --')


@pytest.mark.parametrize("path", TRAVERSALS)
def test_class_1_static_files_come_from_their_folder_only(house: House, path: str) -> None:
    answer = house.client().get(f"/static/{path}", follow_redirects=True)
    assert answer.status_code in (404, 400)
    assert b"root:" not in answer.data
    assert b"WebSettings" not in answer.data


@pytest.mark.parametrize("name", INJECTIONS)
def test_class_9_names_and_filters_reach_the_database_as_values(house: House, name: str) -> None:
    client = house.client(None)
    assert post(client, "/sign-in", name=name, password=name).status_code == 401
    admin = house.client()
    for path in ("/events/", "/api/v1/events"):
        assert admin.get(path, query_string={"camera": name}).status_code in (400, 422)
        assert admin.get(path, query_string={"kind": name}).status_code in (400, 422)
    with house.engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
    assert "web_users" in names


def test_class_9_what_was_stored_is_read_back_as_it_was(house: House) -> None:
    for text in INJECTIONS:
        house.happens("vigilar/camera/hall/motion/start", zones=text)
    items = house.client().get("/api/v1/events").get_json()["items"]
    assert [item["data"]["zones"] for item in items] == list(reversed(INJECTIONS))


def test_class_10_texts_from_outside_are_never_markup(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    house = House(tmp_path_factory.mktemp("x"), cameras={"hall": SCRIPT})
    house.happens(
        "vigilar/camera/hall/motion/start", zones=SCRIPT, more=[SCRIPT], **{SCRIPT: SCRIPT}
    )
    house.happens("vigilar/web/user_changed", user=SCRIPT, change=SCRIPT, by=SCRIPT)
    client = house.client()
    for path in ("/", "/events/", "/users/", "/account/", f"/{SCRIPT}", f"/events/?kind={SCRIPT}"):
        answer = client.get(path, headers={"User-Agent": SCRIPT})
        text = answer.get_data(as_text=True)
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert "49" not in text.partition("alert(2)&gt;")[2][:4], "no template within a template"


def test_class_10_every_answer_forbids_foreign_and_inline_scripts(house: House) -> None:
    for path in ("/", "/nothing", "/api/v1/events", "/static/app.css", "/sign-in", "/health/live"):
        answer = house.client().get(path, buffered=True)
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "default-src 'self'" in CONTENT_SECURITY_POLICY


def test_class_11_nothing_changes_without_the_token_of_the_page(house: House) -> None:
    client = house.client()
    before = everything(house)
    for path in ("/users/", "/users/admin-/remove", "/account/password", "/sign-out", "/sign-in"):
        answer = client.post(
            path, data={"name": "eve", "role": "admin"}, headers={"Origin": "https://localhost"}
        )
        assert answer.status_code == 400, path
    assert everything(house) == before


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.test"}, {"Origin": "null"}, {"Origin": "http://localhost"},
     {"Origin": "https://localhost:8443"}, {"Origin": "https://localhost.evil.test"},
     {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)  # fmt: skip
def test_class_11_nothing_changes_from_another_site(house: House, headers: dict[str, str]) -> None:
    client = house.client()
    data = {"csrf_token": csrf_of(client, "/"), "name": "eve", "role": "admin"}
    before = everything(house)
    assert client.post("/users/", data=data, headers=headers).status_code == 403
    assert everything(house) == before
    control = client.post("/users/", data=data, headers={"Origin": "https://localhost"})
    assert control.status_code == 200
    assert everything(house) != before


def test_class_11_looking_changes_nothing(house: House) -> None:
    client = house.client()
    house.happens("vigilar/camera/hall/motion/start")
    before = everything(house)
    for rule in house.app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint not in ("feed.stream", "feed.socket"):
            path = (
                rule.rule.replace("<name>", "admin").replace("<sequence>", "1").replace("<id>", "1")
            )
            client.get(path, query_string={"name": "eve", "role": "admin", "password": "x" * 12})
    assert everything(house) == before


def test_class_8_a_socket_opens_for_our_own_pages_only(house: House) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
    client, base = house.client(), "wss://localhost"
    for origin in ({"Origin": "https://evil.test"}, {"Origin": "null"}, {}):
        answer = client.get("/ws", headers={**upgrade, **origin}, base_url=base)
        assert answer.status_code == 403, origin
    nobody = house.client(None).get(
        "/ws", headers={**upgrade, "Origin": "https://localhost"}, base_url=base
    )
    assert nobody.status_code == 401


def test_class_15_no_answer_carries_a_secret(house: House) -> None:
    client = house.client()
    secrets = (PASSWORD, PASSWORD_HASH, PASSWORD_HASH.partition(":")[2], bytes(range(32)).hex())
    for rule in house.app.url_map.iter_rules():
        if (
            "GET" in (rule.methods or ())
            and "<" not in rule.rule
            and not rule.endpoint.startswith("feed")
        ):
            text = client.get(rule.rule).get_data(as_text=True)
            assert not [secret for secret in secrets if secret in text], rule.rule


def test_class_15_a_failing_view_shows_no_traceback(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(house.web.events, "latest_sequence", fail)
    for path in ("/", "/events/"):
        answer = house.client().get(path)
        assert answer.status_code == 500
        assert "swordfish" not in answer.get_data(as_text=True)
        assert "Traceback" not in answer.get_data(as_text=True)


def test_class_16_others_on_the_machine_do_not_read_the_database(house: House) -> None:
    house.web.accounts.add("ada", Role.VIEWER, password="long enough it is")
    path = house.paths.data_dir / "vigilar.db"
    assert path.stat().st_mode & 0o007 == 0
    assert open_engine(store_url(house.paths.data_dir)).connect().scalar(sa.text("select 1")) == 1


def test_class_20_no_other_page_can_frame_ours(house: House) -> None:
    headers = house.client().get("/").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_class_26_a_name_that_is_not_ours_is_refused(house: House) -> None:
    client = house.client()
    for host in ("evil.test", "rebind.evil.test:49735", "localhost.evil.test"):
        assert client.get("/", base_url=f"https://{host}").status_code == 400
    assert client.get("/", base_url="https://vigilar.local").status_code == 302


def test_browsers_are_told_to_stay_with_tls(house: House) -> None:
    client = house.client()
    assert "max-age" in client.get("/").headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in client.get("/", base_url="http://localhost").headers


def test_pages_are_not_kept_by_anyone_but_assets_are(house: House) -> None:
    client = house.client()
    assert client.get("/").headers["Cache-Control"] == "no-store"
    assert "max-age" in client.get("/static/app.css", buffered=True).headers["Cache-Control"]


def test_class_22_a_giant_request_is_refused(house: House) -> None:
    client = house.client()
    huge = {"csrf_token": csrf_of(client, "/"), "name": "x" * 2_000_000}
    assert (
        client.post("/users/", data=huge, headers={"Origin": "https://localhost"}).status_code
        == 413
    )


def everything(house: House) -> list[object]:
    """All rows of our tables, but for the time of the last request."""
    from vigilar_web.tables import metadata

    with house.engine.connect() as connection:
        return [
            connection.execute(
                sa.select(*(column for column in table.c if column.name != "seen_us"))
            ).all()
            for table in metadata.sorted_tables
        ]
