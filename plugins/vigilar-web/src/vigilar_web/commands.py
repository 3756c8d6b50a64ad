"""``vigilar web``: ways in, for whoever holds the machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vigilar_core.cli.options import config_option
from vigilar_core.clock import SystemClock
from vigilar_core.config import ConfigSection, find_config, load_settings
from vigilar_core.config.core import Database, System
from vigilar_core.errors import PermanentError
from vigilar_core.store.engine import open_engine, store_url
from vigilar_core.store.migrate import require_migrated
from vigilar_core.web import Role
from vigilar_web import links
from vigilar_web.accounts import Accounts
from vigilar_web.settings import WebSettings
from vigilar_web.tables import TABLES

_ROLES = {role.name.lower(): role for role in Role if role is not Role.ANYONE}
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound


class _Desk:
    """The store and the settings, opened for one command."""

    def __init__(self, config_path: Path | None) -> None:
        settings = load_settings(find_config(config_path), [ConfigSection("web", WebSettings)])
        data_dir = settings.section(System).data_dir
        self.own = settings.section(WebSettings)
        self.clock = SystemClock()
        self.engine = open_engine(store_url(data_dir, settings.section(Database).url.reveal()))
        require_migrated(self.engine, [("vigilar-web", TABLES)])
        self.accounts = Accounts(self.engine, self.own, self.clock)

    def link(self, user: str, host: str | None) -> str:
        token = links.mint(self.engine, self.clock, user)
        name = host or ("localhost" if self.own.host in _EVERYWHERE else self.own.host)
        scheme = "https" if self.own.tls else "http"
        at = f"[{name}]" if ":" in name else name
        return f"{scheme}://{at}:{self.own.port}/sign-in/link#{token}"


@click.group()
def web() -> None:
    """Let people into the web interface."""


@web.command("sign-in-link")
@click.option("--user", help="Who signs in; else the administrator of the configuration.")
@click.option("--host", help="Name or address to put into the link.")
@click.option("--create-admin", is_flag=True, help="Make that administrator if there is none yet.")
@config_option
def sign_in_link(
    user: str | None, host: str | None, create_admin: bool, config_path: Path | None
) -> None:
    """Print a link that signs in once, within ten minutes."""
    desk = _Desk(config_path)
    name = user or desk.own.username
    if create_admin and not desk.accounts.has_administrator():
        _refusing(lambda: desk.accounts.add(name, Role.ADMIN))
    if desk.accounts.find(name) is None:
        raise PermanentError(f"there is no user {name!r}; add one with: vigilar web add-user")
    click.echo(desk.link(name, host))


@web.command("add-user")
@click.argument("name")
@click.option("--role", type=click.Choice(list(_ROLES)), default="viewer", show_default=True)
@click.option("--camera", "cameras", multiple=True, help="Only this camera; may be repeated.")
@click.option(
    "--no-password", is_flag=True, help="Print a one-time link instead of asking for one."
)
@config_option
def add_user(
    name: str, role: str, cameras: tuple[str, ...], no_password: bool, config_path: Path | None
) -> None:
    """Add a user."""
    desk = _Desk(config_path)
    password = None
    if not no_password:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    scope = frozenset(cameras) or None
    _refusing(lambda: desk.accounts.add(name, _ROLES[role], password=password, cameras=scope))
    click.echo(f"{name} is added as {role}.", err=True)
    if no_password:
        click.echo(desk.link(name, None))


def _refusing(action: Callable[[], Any]) -> None:
    """Turn what the accounts refuse into a message without a traceback."""
    try:
        action()
    except ValueError as error:
        raise PermanentError(str(error)) from None
