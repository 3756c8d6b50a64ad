"""``vigilar status``: how every service is, asked at the supervisor's socket."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from vigilar_core.cli.options import config_option, echo_json, echo_table, json_option
from vigilar_core.config.core import SECTIONS, System
from vigilar_core.config.load import find_config, read_config
from vigilar_core.config.loaded import try_settings
from vigilar_core.errors import ConfigurationError, ExitCode, NotReadyError
from vigilar_core.runtime.status import ask

#: Exit codes beside 0: some service does not run; nothing runs.
DEGRADED, NOT_RUNNING = 1, int(ExitCode.BOOT)


@click.command()
@json_option
@config_option
def status(as_json: bool, config_path: Path | None) -> None:
    """Show how every service is; needs no broker.

    Exit code 0: all run. 1: some do not. 3: Vigilar does not run.
    """
    try:
        answer = ask(_runtime_dir(config_path))
    except NotReadyError as error:
        if as_json:
            echo_json({"status": "not running", "reason": str(error)})
        else:
            click.echo(str(error), err=True)
        raise SystemExit(NOT_RUNNING) from error
    if as_json:
        echo_json(answer)
    else:
        _print(answer)
    raise SystemExit(0 if answer["status"] == "running" else DEGRADED)


def _runtime_dir(config_path: Path | None) -> Path:
    """Only this key is looked at: the rest may be wrong while Vigilar runs on."""
    tables = read_config(find_config(config_path)).tables
    section = next(each for each in SECTIONS if each.model is System)
    settings, problems = try_settings(tables, [section])
    if problems:
        raise ConfigurationError(problems)
    return settings.section(System).runtime_dir


def _print(answer: Mapping[str, Any]) -> None:
    click.echo(f"Vigilar is {answer['status']}, process {answer['pid']}")
    rows = [
        (
            each["name"],
            each["state"],
            str(each["pid"] or "–"),
            str(each["restarts"]),
            "–" if each["last_beat_s"] is None else f"{each['last_beat_s']:.1f} s",
            _remark(each),
        )
        for each in answer["services"]
    ]
    echo_table(("SERVICE", "STATE", "PID", "RESTARTS", "LAST BEAT", ""), rows)
    for each in answer["plugins"]:
        if each["state"] == "broken":
            click.echo(f"plugin {each['plugin']} is broken: {each['reason']}")


def _remark(service: Mapping[str, Any]) -> str:
    """Why it does not run, or what its plugins complain of."""
    parts = [service["reason"]] if service["reason"] else []
    if service["next_start_in_s"] is not None:
        parts.append(f"next start in {service['next_start_in_s']:.0f} s")
    for plugin, health in service["health"].items():
        if health["state"] != "ok":
            parts.append(f"{plugin} {health['state']}: {health['reason']}")
    return "; ".join(parts)
