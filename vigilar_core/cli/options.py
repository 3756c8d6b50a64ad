"""Options and output that commands share; plugins may use them for their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

#: ``-c PATH``/``--config PATH``, handed over as ``config_path``; ``None`` when left out.
config_option = click.option(
    "-c",
    "--config",
    "config_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Configuration file; else $VIGILAR_CONFIG, else config/vigilar.toml.",
)
#: ``--json``, handed over as ``as_json``.
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def echo_json(value: Any) -> None:
    """Print a value as indented JSON, letters of every language as they are."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def echo_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns as wide as they need."""
    lines = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())
