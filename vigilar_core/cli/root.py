"""The command ``vigilar`` itself and its table of commands."""

from __future__ import annotations

from collections.abc import Mapping

import click

from vigilar_core import __version__
from vigilar_core.cli.lazy import LazyGroup

#: Name of a command → where it is, and the line that the help shows without going there.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "config": ("vigilar_core.cli.config:config", "Check, show and edit the configuration."),
    "db": ("vigilar_core.cli.db:db", "Migrate, check and copy the database."),
    "demo": ("vigilar_core.cli.demo:demo", "Run with a demo camera until Ctrl-C; keep nothing."),
    "events": ("vigilar_core.cli.events:events", "Follow and search what happened."),
    "plugins": ("vigilar_core.cli.plugins:plugins", "List, describe, choose and check plugins."),
    "start": ("vigilar_core.cli.start:start", "Run everything until told to stop."),
    "status": ("vigilar_core.cli.status:status", "Show how every service is."),
}


@click.group(
    cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="vigilar")
def main() -> None:
    """Vigilar: home security on a machine the family owns."""
