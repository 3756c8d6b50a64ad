"""``vigilar plugins``: list, describe, choose and check plugins."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from vigilar_core.cli.config import change_file
from vigilar_core.cli.options import config_option, echo_json, echo_table, json_option
from vigilar_core.config.core import System
from vigilar_core.config.edit import set_value
from vigilar_core.config.load import find_config, parse_config, read_config
from vigilar_core.config.tables import Tables, table_at
from vigilar_core.config.validation import nearest
from vigilar_core.errors import ConfigurationError, NotReadyError, Problem, VigilarError
from vigilar_core.plugins.discovery import installed
from vigilar_core.plugins.plan import Plan, build_plan
from vigilar_core.plugins.report import PluginReport, PluginState
from vigilar_core.runtime.status import ask


@click.group()
def plugins() -> None:
    """List, describe, choose and check plugins."""


@plugins.command("list")
@json_option
@config_option
def list_(as_json: bool, config_path: Path | None) -> None:
    """List all installed plugins with their state."""
    reports = _reports(config_path)
    if as_json:
        echo_json([_summary(report) for report in reports])
        return
    rows = [
        (report.name, report.version, report.state.value, report.reason or report.summary)
        for report in reports
    ]
    echo_table(("PLUGIN", "VERSION", "STATE", ""), rows)


@plugins.command()
@click.argument("name")
@json_option
@config_option
def show(name: str, as_json: bool, config_path: Path | None) -> None:
    """Describe one plugin: hooks, sections of the configuration, services, events."""
    report = _report(config_path, name)
    if as_json:
        echo_json(report.to_json())
        return
    click.echo(f"{report.name} {report.version} ({report.distribution})")
    if report.summary:
        click.echo(f"  {report.summary}")
    click.echo(f"  state: {report.state.value}{f' – {report.reason}' if report.reason else ''}")
    for label, values in _facts(report):
        click.echo(f"  {label}: {', '.join(values) if values else 'none'}")
    for problem in report.problems:
        click.echo(f"  problem: {problem}")


@plugins.command()
@click.argument("names", nargs=-1, required=True)
@config_option
def enable(names: Sequence[str], config_path: Path | None) -> None:
    """Let plugins run: take them off the list of disabled ones."""
    _choose(config_path, names, enabled=True)


@plugins.command()
@click.argument("names", nargs=-1, required=True)
@config_option
def disable(names: Sequence[str], config_path: Path | None) -> None:
    """Keep plugins from running; their settings stay in the file."""
    _choose(config_path, names, enabled=False)


@plugins.command()
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Check every installed plugin.")
@json_option
def check(names: Sequence[str], everything: bool, as_json: bool) -> None:
    """Check plugins against the rules of the house; for their authors."""
    from vigilar_core.testing.conformance import check_plugin

    if not names and not everything:
        raise click.UsageError("Name a plugin, or say --all.")
    chosen = list(installed()) if everything else list(names)
    for name in chosen:
        _require_installed(name)
    findings = {name: check_plugin(name) for name in chosen}
    if as_json:
        echo_json({name: [str(each) for each in found] for name, found in findings.items()})
    else:
        for name, found in findings.items():
            click.echo(f"{name}: {'keeps all rules' if not found else 'breaks rules:'}")
            for finding in found:
                click.echo(f"  {finding}")
    if any(findings.values()):
        raise VigilarError("not all plugins keep the rules")


@plugins.command()
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder in which the project's folder is made; here when left out.",
)
def new(name: str, into: Path) -> None:
    """Write the starting project of a new plugin."""
    from vigilar_core.plugins.scaffold import write_project

    project = write_project(name, into)
    click.echo(f"{project} is ready. Next:")
    click.echo(f"  pip install -e {project}")
    click.echo(f"  pytest {project}/tests")
    click.echo(f"  vigilar plugins check {name}")


def _plan(config_path: Path | None) -> Plan:
    """The plan of the configuration file; of an empty one when there is no file to be found."""
    path = find_config(config_path)
    tables = read_config(path).tables if config_path or path.exists() else {}
    return build_plan(tables)


def _reports(config_path: Path | None) -> list[PluginReport]:
    """All plugins; those that the running Vigilar has taken in are ``running``."""
    plan = _plan(config_path)
    running = _running(plan)
    return [
        dataclasses.replace(report, state=PluginState.RUNNING)
        if report.usable and report.name in running
        else report
        for report in plan.reports
    ]


def _running(plan: Plan) -> set[str]:
    try:
        answer = ask(plan.settings.section(System).runtime_dir, timeout_s=1.0)
    except (KeyError, NotReadyError):
        return set()  # The section is wrong, or nothing runs: then no plugin does.
    return {
        str(each.get("plugin"))
        for each in answer.get("plugins", ())
        if each.get("state") == PluginState.RUNNING
    }


def _report(config_path: Path | None, name: str) -> PluginReport:
    _require_installed(name)
    return next(report for report in _reports(config_path) if report.name == name)


def _require_installed(name: str) -> None:
    known = installed()
    if name not in known:
        guess = nearest(name, known)
        hint = f"did you mean {guess!r}?" if guess else "see: vigilar plugins list"
        raise VigilarError(f"plugin {name!r} is not installed ({hint})")


def _choose(config_path: Path | None, names: Sequence[str], *, enabled: bool) -> None:
    path = find_config(config_path)
    listed = _disabled(read_config(path).tables)
    for name in names:
        # A name may stay on the list after its package is gone; taking it off is always right.
        if not (enabled and name in listed):
            _require_installed(name)
    before = None if enabled else _plan(path)
    plan = change_file(path, lambda text: _with_choice(text, names, enabled))
    click.echo(f"{path}: {', '.join(names)} {'enabled' if enabled else 'disabled'}.")
    for line in _to_restart(before or plan, names):
        click.echo(line)


def _with_choice(text: str, names: Sequence[str], enabled: bool) -> str:
    old = _disabled(parse_config(text.encode()))
    if enabled:
        new = [name for name in old if name not in names]
    else:
        new = [*old, *(name for name in names if name not in old)]
    return text if new == old else set_value(text, "plugins", "disabled", new)


def _disabled(tables: Tables) -> list[str]:
    listed: Any = (table_at(tables, "plugins") or {}).get("disabled", [])
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise ConfigurationError([Problem("plugins.disabled", "must be a list of names")])
    return listed


def _to_restart(plan: Plan, names: Sequence[str]) -> list[str]:
    """What a running Vigilar has to do for the change to count."""
    reports = [report for name in names if (report := plan.report(name)) is not None]
    services = [service.name for report in reports for service in report.services]
    hooks = {hook for report in reports for hook in report.hooks}
    inline = any(report.inline for report in reports)
    services += [
        service.name
        for service in plan.services
        if (inline and service.inline) or hooks.intersection(service.hosts)
    ]
    lines = ["Reload to take it over: systemctl reload vigilar"]
    if services:
        lines.append(f"  restarted or stopped by it: {', '.join(dict.fromkeys(services))}")
    return lines


def _summary(report: PluginReport) -> dict[str, str]:
    return {
        "name": report.name,
        "distribution": report.distribution,
        "version": report.version,
        "state": report.state.value,
        "reason": report.reason,
        "summary": report.summary,
    }


def _facts(report: PluginReport) -> list[tuple[str, list[str]]]:
    if report.state in (PluginState.BROKEN, PluginState.DISABLED):
        return []
    sections = [f"[[{each.path}]]" if each.many else f"[{each.path}]" for each in report.sections]
    return [
        ("hooks", list(report.hooks)),
        ("sections", sections),
        ("services", [service.name for service in report.services]),
        ("events", [kind.name for kind in report.event_kinds]),
    ]
