from __future__ import annotations

from pathlib import Path

import pytest
from web_house import PASSWORD, PASSWORD_HASH, House

from vigilar_core.config import Secret
from vigilar_core.config.hashes import hash_password
from vigilar_core.web import Role
from vigilar_web.accounts import Accounts
from vigilar_web.passwords import password_matches
from vigilar_web.settings import WebSettings


def accounts_with(house: House, **settings: object) -> Accounts:
    return Accounts(house.engine, WebSettings(**settings), house.clock)  # type: ignore[arg-type]


def test_the_configured_user_is_an_administrator(house: House) -> None:
    user = house.web.accounts.find("admin")
    assert user is not None
    assert user.role is Role.ADMIN
    assert password_matches(PASSWORD, user.password_hash)


def test_without_a_configured_hash_nobody_is_there(house: House) -> None:
    accounts = accounts_with(house)
    assert accounts.all() == []
    assert not accounts.has_administrator()


def test_a_password_changed_in_the_browser_wins_over_the_configured_one(house: House) -> None:
    house.web.accounts.set_password("admin", "another long one")
    user = house.web.accounts.find("admin")
    assert user is not None
    assert password_matches("another long one", user.password_hash)
    assert not password_matches(PASSWORD, user.password_hash)


def test_a_new_hash_in_the_configuration_wins_over_a_forgotten_password(house: House) -> None:
    house.web.accounts.set_password("admin", "another long one")
    later = accounts_with(house, password_hash=Secret(hash_password("the operator's word")))
    user = later.find("admin")
    assert user is not None
    assert password_matches("the operator's word", user.password_hash)


def test_a_user_has_the_rights_that_were_given(house: House) -> None:
    house.web.accounts.add("ada", Role.VIEWER, cameras=frozenset({"hall"}))
    user = house.web.accounts.find("ada")
    assert user is not None
    assert (user.role, user.cameras) == (Role.VIEWER, frozenset({"hall"}))


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 65, "<b>", "ä", "x/y", "-x", "a\n"])
def test_odd_names_are_refused(house: House, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        house.web.accounts.add(name, Role.VIEWER)


def test_a_name_is_given_once(house: House) -> None:
    house.web.accounts.add("ada", Role.VIEWER)
    with pytest.raises(ValueError, match="already"):
        house.web.accounts.add("ada", Role.ADMIN)


@pytest.mark.parametrize("password", ["", "short", "x" * 201])
def test_a_password_has_a_fitting_length(house: House, password: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        house.web.accounts.add("ada", Role.VIEWER, password=password)


def test_the_last_administrator_stays(house: House) -> None:
    accounts = accounts_with(house)
    accounts.add("ada", Role.ADMIN)
    with pytest.raises(ValueError, match="last administrator"):
        accounts.remove("ada")
    with pytest.raises(ValueError, match="last administrator"):
        accounts.change("ada", Role.VIEWER, None)
    accounts.add("eve", Role.ADMIN)
    accounts.remove("ada")
    assert accounts.find("ada") is None


def test_who_stands_in_the_configuration_is_not_changed_here(house: House) -> None:
    with pytest.raises(ValueError, match="configuration"):
        house.web.accounts.remove("admin")


def test_an_empty_or_broken_hash_fits_no_password() -> None:
    for stored in ("", "x", "zz:zz", PASSWORD_HASH[:-2], PASSWORD_HASH + "00"):
        assert not password_matches(PASSWORD, stored)
        assert not password_matches("", stored)


def test_the_default_of_an_empty_path_is_no_path(tmp_path: Path) -> None:
    settings = WebSettings(tls_cert="", tls_key="")  # type: ignore[arg-type]
    assert settings.tls_cert is None
    with pytest.raises(ValueError, match="belong together"):
        WebSettings(tls_cert=tmp_path / "cert.pem")
