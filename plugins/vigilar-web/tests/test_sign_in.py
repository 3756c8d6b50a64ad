from __future__ import annotations

import statistics
import threading
import time

import pytest
from flask.testing import FlaskClient
from web_house import PASSWORD, House, csrf_of, post

from vigilar_core.web import Role
from vigilar_web import links, passwords


def sign_in(client: FlaskClient, name: str = "admin", password: str = PASSWORD, **more: str):  # type: ignore[no-untyped-def]
    return post(client, "/sign-in", name=name, password=password, **more)


def test_name_and_password_open_the_first_page(house: House) -> None:
    client = house.client(None)
    answer = sign_in(client)
    assert (answer.status_code, answer.location) == (302, "/")
    assert client.get("/").status_code == 200
    assert house.bus.kinds() == ["web_signed_in"]


def test_a_wrong_password_says_no_more_than_an_unknown_name(house: House) -> None:
    texts = []
    for name, password in (("admin", "wrong"), ("nobody", PASSWORD), ("", "")):
        answer = sign_in(house.client(None), name, password)
        assert answer.status_code == 401
        texts.append(answer.get_data(as_text=True).split("<form")[0].split("<h1")[1])
    assert len(set(texts)) == 1


def test_class_13_guessing_is_held_back_and_told(house: House) -> None:
    client = house.client(None)
    answers = [sign_in(client, password="wrong").status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]
    assert sign_in(client).status_code == 429, "not even the right password, for a while"
    assert house.bus.kinds() == ["web_sign_in_blocked"]
    house.clock.advance(31)
    assert sign_in(client).status_code == 302


def test_class_13_who_is_signed_in_stays_so_while_others_guess(house: House) -> None:
    owner = house.client(None)
    sign_in(owner)
    stranger = house.client(None)
    for _ in range(6):
        sign_in(stranger, password="wrong")
    assert owner.get("/").status_code == 200


def test_class_13_a_browser_that_was_here_before_signs_in_while_others_guess(house: House) -> None:
    owner = house.client(None)
    sign_in(owner)
    post(owner, "/sign-out", page="/account/")
    stranger = house.client(None)
    stranger.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    for _ in range(6):
        sign_in(stranger, password="wrong")
    assert sign_in(house.client(None)).status_code == 429, "the control: an unknown browser waits"
    assert sign_in(owner).status_code == 302


def test_class_12_the_session_is_new_at_each_sign_in(house: House) -> None:
    client = house.client(None)
    client.get("/sign-in")
    with client.session_transaction() as session:
        session["token"] = "planted"
        session["other"] = "planted"
    sign_in(client)
    with client.session_transaction() as session:
        first = session["token"]
        assert first != "planted"
        assert "other" not in session
    post(client, "/sign-out", page="/account/")
    sign_in(client)
    with client.session_transaction() as session:
        assert session["token"] != first


def test_class_12_an_old_cookie_is_worth_nothing_after_signing_out(house: House) -> None:
    client = house.client(None)
    sign_in(client)
    kept = client.get_cookie("__Host-vigilar")
    assert kept is not None
    post(client, "/sign-out", page="/account/")
    client.set_cookie("__Host-vigilar", kept.value, domain="localhost", secure=True)
    assert client.get("/").status_code == 302


def test_class_12_a_new_password_ends_the_other_sessions(house: House) -> None:
    here, there = house.client(None), house.client(None)
    sign_in(here)
    sign_in(there)
    changed = post(
        here, "/account/password", page="/account/",
        current=PASSWORD, password="a different phrase", again="a different phrase",
    )  # fmt: skip
    assert changed.status_code == 302
    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200
    assert sign_in(house.client(None), password="a different phrase").status_code == 302


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (
            {"current": "wrong", "password": "a different phrase", "again": "a different phrase"},
            "present",
        ),
        ({"current": PASSWORD, "password": "a different phrase", "again": "another"}, "differ"),
        ({"current": PASSWORD, "password": "short", "again": "short"}, "characters"),
    ],
)
def test_a_password_is_changed_only_with_care(
    house: House, form: dict[str, str], reason: str
) -> None:
    client = house.client(None)
    sign_in(client)
    answer = post(client, "/account/password", page="/account/", **form)
    assert answer.status_code == 422
    assert reason in answer.get_data(as_text=True)
    assert sign_in(house.client(None)).status_code == 302


def test_cookies_are_kept_from_scripts_other_sites_and_plain_http(house: House) -> None:
    client = house.client(None)
    answers = [client.get("/sign-in"), sign_in(client)]
    cookies = [line for answer in answers for line in answer.headers.getlist("Set-Cookie")]
    assert len(cookies) >= 3
    for cookie in cookies:
        assert cookie.startswith("__Host-"), cookie
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


def test_class_20_after_signing_in_only_local_paths_follow(house: House) -> None:
    targets = {
        "/events/?camera=hall": "/events/?camera=hall",
        "https://evil.test/": "/",
        "//evil.test": "/",
        "/\\evil.test": "/",
        "\\\\evil.test": "/",
        "javascript:alert(1)": "/",
        "/\t/evil.test": "/",
        "/%0d%0aSet-Cookie:x": "/%0d%0aSet-Cookie:x",
        "/\r\nSet-Cookie: x=1": "/",
        "evil.test": "/",
        "": "/",
    }
    for target, followed in targets.items():
        answer = sign_in(house.client(None), next=target)
        assert (target, answer.location) == (target, followed)


def test_class_16_the_hash_is_no_password(house: House) -> None:
    assert sign_in(house.client(None), password=house.own.password_hash.reveal()).status_code == 401


def test_who_would_wait_too_long_for_a_turn_is_sent_away(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_PATIENCE_S", 0.01)
    monkeypatch.setattr(passwords, "_checking", threading.BoundedSemaphore(1))
    with passwords._checking:
        answer = sign_in(house.client(None))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert sign_in(house.client(None)).status_code == 302


def test_class_21_odd_names_find_nobody(house: House) -> None:
    for name in ("admin\x00", "ADMIN", "admin ' or 1=1 --", "../admin", "%61dmin", "ａｄｍｉｎ"):
        assert sign_in(house.client(None), name).status_code == 401
        house.clock.advance(86_401)


def test_class_22_giant_names_and_passwords_take_no_longer(house: House) -> None:
    client = house.client(None)
    started = time.process_time()
    assert sign_in(client, "x" * 4096, "\N{PILE OF POO}" * 250_000).status_code == 413
    assert sign_in(client, "x" * 4096, "y" * 4096).status_code == 401
    assert time.process_time() - started < 5


def test_class_26_an_unknown_name_takes_as_long_as_a_wrong_password(house: House) -> None:
    house.web.accounts.add("ada", Role.VIEWER, password="long enough it is")
    took: dict[str, list[float]] = {"ada": [], "nobody": []}
    for round_ in range(12):
        for name in took:
            client = house.client(None)
            client.environ_base["REMOTE_ADDR"] = f"192.0.2.{round_ + 1}"
            csrf = csrf_of(client)
            house.clock.advance(86_401)
            started = time.thread_time()
            client.post(
                "/sign-in", data={"csrf_token": csrf, "name": name, "password": "wrong but long"},
                headers={"Origin": "https://localhost"},
            )  # fmt: skip
            took[name].append(time.thread_time() - started)
    known, unknown = (statistics.median(times) for times in took.values())
    assert 0.6 < known / unknown < 1.7


def test_a_link_opens_a_session_once(house: House) -> None:
    token = links.mint(house.engine, house.clock, "admin")
    client = house.client(None)
    assert client.get("/sign-in/link").status_code == 200
    answer = post(client, "/sign-in/link", page="/sign-in/link", token=token)
    assert (answer.status_code, answer.location) == (302, "/")
    again = post(house.client(None), "/sign-in/link", page="/sign-in/link", token=token)
    assert again.status_code == 401


def test_class_13_guessing_links_is_held_back(house: House) -> None:
    client = house.client(None)
    answers = [post(client, "/sign-in/link", token="guess").status_code for _ in range(16)]
    assert answers[-1] == 429


def test_looking_at_a_link_does_not_use_it(house: House) -> None:
    token = links.mint(house.engine, house.clock, "admin")
    for _ in range(3):
        house.client(None).get(f"/sign-in/link?token={token}")
    assert links.redeem(house.engine, house.clock, token) == "admin"


def test_an_own_session_can_be_ended_from_elsewhere_but_not_another_persons(house: House) -> None:
    ada, eve = house.client(Role.VIEWER), house.client(Role.OPERATOR)
    [session] = house.web.sessions.of("viewer-")
    assert post(eve, f"/account/sessions/{session.id}/end", page="/account/").status_code == 404
    assert ada.get("/").status_code == 200
    assert post(ada, f"/account/sessions/{session.id}/end", page="/account/").status_code == 302
    assert ada.get("/").status_code == 302


def test_who_is_sent_to_sign_in_comes_back_to_the_page_wanted(house: House) -> None:
    answer = house.client(None).get("/events/?camera=hall")
    assert answer.location == "/sign-in?next=/events/?camera%3Dhall"
