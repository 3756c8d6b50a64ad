from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from web_house import House

from vigilar_core.web import Role
from vigilar_web import links
from vigilar_web.sessions import LIFETIME_S
from vigilar_web.settings import WebSettings
from vigilar_web.tables import links as link_rows
from vigilar_web.tables import sessions as rows


def opened(house: House, name: str = "ada") -> str:
    if house.web.accounts.find(name) is None:
        house.web.accounts.add(name, Role.VIEWER, password="long enough it is")
    user = house.web.accounts.find(name)
    assert user is not None
    return house.web.sessions.open(user, address="192.0.2.7", browser="Browser")


def test_a_token_finds_its_person(house: House) -> None:
    person = house.web.sessions.person(opened(house))
    assert person is not None
    assert (person.name, person.role) == ("ada", Role.VIEWER)


def test_any_other_token_finds_nobody(house: House) -> None:
    token = opened(house)
    for wrong in ("", token[:-1], token + "A", "x" * 43):
        assert house.web.sessions.person(wrong) is None


def test_the_database_does_not_know_the_token(house: House) -> None:
    token = opened(house)
    with house.engine.connect() as connection:
        row = connection.execute(sa.select(rows)).one()
    assert token not in "".join(str(value) for value in row)


def test_a_session_ends_when_nothing_is_asked_for_too_long(house: House) -> None:
    token = opened(house)
    house.clock.advance(3590)
    assert house.web.sessions.person(token) is not None
    house.clock.advance(3590)
    assert house.web.sessions.person(token) is not None
    house.clock.advance(3700)
    assert house.web.sessions.person(token) is None


def test_a_stream_is_no_sign_of_life(house: House) -> None:
    token = opened(house)
    house.clock.advance(3590)
    assert house.web.sessions.person(token, touch=False) is not None
    house.clock.advance(20)
    assert house.web.sessions.person(token) is None


def test_no_session_lives_for_ever(tmp_path: Path) -> None:
    house = House(tmp_path, settings=WebSettings(session_timeout=20 * 86_400))
    token = opened(house)
    for _ in range(2):
        house.clock.advance(LIFETIME_S / 2)
        assert house.web.sessions.person(token) is not None
    house.clock.advance(1)
    assert house.web.sessions.person(token) is None


def test_a_new_password_ends_every_session(house: House) -> None:
    tokens = [opened(house), opened(house)]
    house.web.accounts.set_password("ada", "something else entirely")
    assert [house.web.sessions.person(token) for token in tokens] == [None, None]


def test_a_removed_user_has_no_session_even_when_the_name_returns(house: House) -> None:
    token = opened(house)
    house.web.accounts.remove("ada")
    assert house.web.sessions.person(token) is None
    house.web.accounts.add("ada", Role.ADMIN)
    assert house.web.sessions.person(token) is None


def test_rights_that_change_count_at_once(house: House) -> None:
    token = opened(house)
    house.web.accounts.change("ada", Role.VIEWER, frozenset({"hall"}))
    person = house.web.sessions.person(token)
    assert person is not None
    assert not person.may_see("garden")


def test_a_link_signs_in_once(house: House) -> None:
    token = links.mint(house.engine, house.clock, "ada")
    assert links.redeem(house.engine, house.clock, token) == "ada"
    assert links.redeem(house.engine, house.clock, token) is None


def test_a_link_ends_after_ten_minutes(house: House) -> None:
    token = links.mint(house.engine, house.clock, "ada")
    house.clock.advance(601)
    assert links.redeem(house.engine, house.clock, token) is None


def test_a_clock_set_back_does_not_make_a_link_last(house: House) -> None:
    token = links.mint(house.engine, house.clock, "ada")
    house.clock.jump(-86_400)
    assert links.redeem(house.engine, house.clock, token) is None


def test_the_database_does_not_know_the_link(house: House) -> None:
    token = links.mint(house.engine, house.clock, "ada")
    with house.engine.connect() as connection:
        row = connection.execute(sa.select(link_rows)).one()
    assert token not in "".join(str(value) for value in row)
