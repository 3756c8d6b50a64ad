"""``vigilar start``: run everything until told to stop."""

from __future__ import annotations

from pathlib import Path

import click

from vigilar_core.cli.options import config_option
from vigilar_core.config.core import LogLevel
from vigilar_core.config.load import find_config
from vigilar_core.runtime import logs
from vigilar_core.runtime.installation import Installation
from vigilar_core.runtime.workers import Choice


@click.command()
@config_option
@click.option(
    "--log-level",
    type=click.Choice([level.value for level in LogLevel], case_sensitive=False),
    help="Least important level that is logged; else [system] log_level.",
)
@click.option(
    "--only",
    metavar="SERVICES",
    help="Run these services alone, separated by commas: camera:gate,camera:yard.",
)
@click.option("--no-third-party", is_flag=True, help="Leave out plugins that are not Vigilar's.")
@click.option("--trace-hooks", is_flag=True, help="Log each call of a hook.")
def start(
    config_path: Path | None,
    log_level: str | None,
    only: str | None,
    no_third_party: bool,
    trace_hooks: bool,
) -> None:
    """Run everything until told to stop.

    SIGTERM and Ctrl-C end it within ten seconds, recordings sealed; SIGHUP reads the
    configuration again and restarts what it changes.
    """
    level = (log_level or "").upper()
    logs.configure(level or "INFO", service="supervisor")
    names = tuple(name.strip() for name in (only or "").split(",") if name.strip())
    installation = Installation(
        find_config(config_path), Choice(names, level, trace_hooks), not no_third_party
    )
    raise SystemExit(int(installation.run()))
