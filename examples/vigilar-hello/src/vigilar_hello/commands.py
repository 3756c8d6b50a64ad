"""``vigilar hello``: look at the file."""

from __future__ import annotations

from pathlib import Path

import click

from vigilar_core.cli.options import config_option
from vigilar_core.config import ConfigSection, load_settings
from vigilar_core.config.core import System
from vigilar_hello.settings import HelloSettings


@click.command()
@click.option("--lines", default=10, show_default=True, help="How many of the last lines.")
@config_option
def hello(lines: int, config_path: Path | None) -> None:
    """Print the last alerts that were written."""
    settings = load_settings(config_path, [ConfigSection("hello", HelloSettings)])
    path = settings.section(HelloSettings).path(settings.section(System).paths())
    if not path.exists():
        click.echo(f"No alert so far: {path} is not there.")
        return
    for line in path.read_text(encoding="utf-8").splitlines()[-lines:]:
        click.echo(line)
