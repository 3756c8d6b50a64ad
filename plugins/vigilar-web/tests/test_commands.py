from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from web_house import House

from vigilar_core.clock import SystemClock
from vigilar_core.errors import PermanentError
from vigilar_core.web import Role
from vigilar_web import links
from vigilar_web.accounts import Accounts
from vigilar_web.commands import web
from vigilar_web.settings import WebSettings


@pytest.fixture
def config(house: House) -> str:
    path = house.paths.data_dir.parent / "vigilar.toml"
    path.write_text(
        f'[system]\ndata_dir = "{house.paths.data_dir}"\n[web]\nport = 4444\ntls = true\n'
    )
    return str(path)


def run(*arguments: str, typed: str | None = None) -> str:
    result = CliRunner().invoke(web, arguments, input=typed, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def accounts(house: House) -> Accounts:
    return Accounts(house.engine, WebSettings(), SystemClock())


def test_a_link_for_a_first_look_makes_the_administrator(house: House, config: str) -> None:
    link = run("sign-in-link", "--create-admin", "-c", config)
    assert link.startswith("https://localhost:4444/sign-in/link#")
    assert accounts(house).has_administrator()
    token = link.partition("#")[2]
    assert links.redeem(house.engine, SystemClock(), token) == "admin"


def test_a_link_can_name_another_host(config: str) -> None:
    link = run("sign-in-link", "--create-admin", "--host", "192.168.1.2", "-c", config)
    assert link.startswith("https://192.168.1.2:4444/")


def test_a_link_for_nobody_is_refused(config: str) -> None:
    with pytest.raises(PermanentError, match="no user 'eve'"):
        run("sign-in-link", "--user", "eve", "-c", config)


def test_a_user_is_added_with_a_password_that_is_not_shown(house: House, config: str) -> None:
    out = run(
        "add-user", "ada", "--camera", "hall", "-c", config, typed="a long phrase\na long phrase\n"
    )
    user = accounts(house).find("ada")
    assert user is not None
    assert (user.role, user.cameras) == (Role.VIEWER, frozenset({"hall"}))
    assert "a long phrase" not in out


def test_a_user_without_password_gets_a_link(house: House, config: str) -> None:
    assert "#" in run("add-user", "ada", "--role", "operator", "--no-password", "-c", config)


def test_a_name_that_will_not_do_is_said_without_a_traceback(config: str) -> None:
    with pytest.raises(PermanentError, match="a name has letters"):
        run("add-user", "a b", "--no-password", "-c", config)


def test_the_configuration_is_looked_for_where_it_was_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(web, ["sign-in-link", "-c", str(tmp_path / "none.toml")])
    assert result.exit_code != 0
