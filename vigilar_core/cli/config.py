"""``vigilar config``: check, show and edit the configuration."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from vigilar_core.cli.options import config_option, echo_json
from vigilar_core.config import hashes
from vigilar_core.config.edit import edit_config, set_value
from vigilar_core.config.load import ConfigFile, find_config, read_config
from vigilar_core.config.show import effective
from vigilar_core.errors import ExitCode
from vigilar_core.plugins.plan import Plan, plan_file

_write_option = click.option("--write", is_flag=True, help="Put the line into the file.")


@click.group()
def config() -> None:
    """Check, show and edit the configuration."""


@config.command()
@config_option
def validate(config_path: Path | None) -> None:
    """Check the file with the core and every enabled plugin; tell all problems at once."""
    file = read_config(find_config(config_path))
    plan = plan_file(file)
    _echo_findings(plan)
    plan.require()
    click.echo(f"{file.path} can be used.")
    for path, count in _counts(plan).items():
        click.echo(f"  {path}: {count}")
    click.echo(f"  plugins: {sum(report.usable for report in plan.reports)}")
    click.echo(f"  services: {len(plan.services)}")


@config.command()
@config_option
@click.pass_context
def show(context: click.Context, config_path: Path | None) -> None:
    """Print the configuration in effect as JSON, defaults filled in, secrets masked."""
    plan = plan_file(read_config(find_config(config_path)))
    echo_json(effective(plan.sections))
    if plan.problems:
        _echo_findings(plan)
        for problem in plan.problems:
            click.echo(f"error: {problem}", err=True)
        context.exit(ExitCode.CONFIGURATION)


@config.command()
def schema() -> None:
    """Print the JSON Schema of all sections of the installed plugins."""
    from vigilar_core.config.joined_schema import joined_schema
    from vigilar_core.plugins.plan import build_plan

    echo_json(joined_schema(build_plan({}).sections))


@config.command()
@_write_option
@config_option
def set_password(write: bool, config_path: Path | None) -> None:
    """Hash a password of the web interface."""
    password = _ask("Password", at_least=10)
    _give("web", "password_hash", hashes.hash_password(password), write, config_path)


@config.command()
@_write_option
@config_option
def set_pin(write: bool, config_path: Path | None) -> None:
    """Hash the PIN for arming and disarming."""
    pin = _ask("PIN", at_least=4)
    if not pin.isdecimal() or not pin.isascii() or len(pin) > 12:
        raise click.UsageError("A PIN has 4 to 12 digits and nothing else.")
    if len(pin) < 6:
        click.echo("note: whoever gets at the hash tries all short PINs in minutes", err=True)
    _give("security", "pin_hash", hashes.hash_pin(pin), write, config_path)


@config.command()
@_write_option
@config_option
def set_recovery_passphrase(write: bool, config_path: Path | None) -> None:
    """Hash the passphrase that resets a forgotten PIN."""
    passphrase = _ask("Recovery passphrase", at_least=12)
    hashed = hashes.hash_pin(passphrase)
    _give("security", "recovery_passphrase_hash", hashed, write, config_path)


def change_file(path: Path, change: Callable[[str], str]) -> Plan:
    """Edit the configuration file, if the result can be used, and return the plan of the result.

    :raises ConfigurationError: it could not be used; the file is as it was
    """
    mode = read_config(path).mode
    plans: list[Plan] = []

    def validate(tables: Mapping[str, Any]) -> None:
        plans.append(plan_file(ConfigFile(path, tables, mode)).require())

    edit_config(path, change, validate)
    return plans[0]


def _ask(label: str, *, at_least: int) -> str:
    """Something secret: typed twice and not shown, or the first line of a pipe."""
    if sys.stdin.isatty():
        value: str = click.prompt(label, hide_input=True, confirmation_prompt=True)
    else:
        value = sys.stdin.readline().rstrip("\r\n")
    if len(value) < at_least:
        raise click.UsageError(f"{label}: at least {at_least} characters.")
    return value


def _give(section: str, key: str, value: str, write: bool, config_path: Path | None) -> None:
    if not write:
        click.echo(f'{key} = "{value}"')
        click.echo(f"Put this line into [{section}] and restart Vigilar.", err=True)
        return
    path = find_config(config_path)
    change_file(path, lambda text: set_value(text, section, key, value))
    click.echo(f"{path}: [{section}] {key} is set. Reload: systemctl reload vigilar")


def _echo_findings(plan: Plan) -> None:
    for warning in plan.warnings:
        click.echo(f"warning: {warning}", err=True)


def _counts(plan: Plan) -> Mapping[str, int]:
    return {
        section.path: len(section.values)
        for section in plan.sections
        if section.many and section.owner == "core"
    }
