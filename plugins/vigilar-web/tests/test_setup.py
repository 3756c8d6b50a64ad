from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from web_house import House, post

from vigilar_core.web import Role
from vigilar_web.settings import WebSettings

PHRASE = "a phrase to remember"


@pytest.fixture
def empty(tmp_path: Path) -> House:
    return House(tmp_path, settings=WebSettings())


def token_of(house: House) -> str:
    return house.web.setup_token.announce("https://localhost:49735").partition("#")[2]


def submit(client: FlaskClient, token: str, **form: str):  # type: ignore[no-untyped-def]
    values = {"token": token, "name": "ada", "password": PHRASE, "again": PHRASE, **form}
    return post(client, "/setup", page="/setup", **values)


def test_class_14_until_set_up_every_page_leads_to_the_set_up(empty: House) -> None:
    client = empty.client(None)
    for path in ("/", "/events/", "/sign-in", "/api/docs"):
        answer = client.get(path)
        assert (answer.status_code, answer.location) == (302, "/setup"), path
    assert client.get("/api/v1/events", headers={"Accept": "application/json"}).status_code == 503
    assert client.get("/health/live").status_code == 200


def test_class_14_until_set_up_no_other_machine_is_answered(empty: House) -> None:
    client = empty.client(None)
    client.environ_base["REMOTE_ADDR"] = "192.168.1.7"
    for path in ("/", "/setup", "/sign-in"):
        assert client.get(path).status_code == 403, path


def test_class_14_a_name_that_leads_here_does_not_open_the_set_up(empty: House) -> None:
    answer = empty.client(None).get("/setup", base_url="https://vigilar.local")
    assert answer.status_code == 403


def test_the_token_makes_the_first_administrator_and_signs_in(empty: House) -> None:
    client = empty.client(None)
    answer = submit(client, token_of(empty))
    assert answer.status_code == 200
    user = empty.web.accounts.find("ada")
    assert user is not None
    assert user.role is Role.ADMIN
    assert client.get("/").status_code == 200
    assert empty.bus.kinds() == ["web_user_changed"]


def test_the_set_up_is_gone_afterwards(empty: House) -> None:
    token = token_of(empty)
    submit(empty.client(None), token)
    assert empty.client(None).get("/setup").status_code == 404
    assert submit(empty.client(Role.VIEWER), token, name="eve").status_code == 404


@pytest.mark.parametrize("token", ["", "wrong", "x" * 43])
def test_class_14_without_the_token_nobody_is_made(empty: House, token: str) -> None:
    token_of(empty)
    assert submit(empty.client(None), token).status_code == 403
    assert empty.web.accounts.all() == []


def test_a_mistake_does_not_use_up_the_token(empty: House) -> None:
    token, client = token_of(empty), empty.client(None)
    assert submit(client, token, again="different").status_code == 422
    assert submit(client, token, password="short", again="short").status_code == 422
    assert submit(client, token, name="not a name").status_code == 422
    assert submit(client, token).status_code == 200


def test_the_address_with_the_token_is_for_the_owner_of_the_machine_only(empty: House) -> None:
    token = token_of(empty)
    path = empty.paths.runtime_dir / "web" / "setup-url"
    assert path.read_text() == f"https://localhost:49735/setup#{token}\n"
    assert path.stat().st_mode & 0o777 == 0o600
    submit(empty.client(None), token)
    assert not path.exists()


def test_an_administrator_made_from_the_command_line_ends_the_set_up(empty: House) -> None:
    client = empty.client(None)
    assert client.get("/").location == "/setup"
    empty.web.accounts.add("ada", Role.ADMIN)
    assert client.get("/").location == "/sign-in"
