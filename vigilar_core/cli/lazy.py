"""A group of commands that imports none of them before one is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from vigilar_core.errors import ConfigurationError, VigilarError

_GROUP = "vigilar.commands"
_PLUGIN_GROUP = "vigilar.plugins"


class LazyGroup(click.Group):
    """Commands out of a table and out of entry points of the group ``vigilar.commands``.

    :param table: name → (``module:attribute``, line for the help); stands over entry points
    """

    def __init__(self, *arguments: Any, table: Mapping[str, tuple[str, str]], **options: Any):
        super().__init__(*arguments, **options)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self._table, *_entry_points()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self._table:
            return _load(self._table[cmd_name][0])
        if (point := _entry_points().get(cmd_name)) is not None:
            return _load_plugin(point)
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name not in self._table and (point := _entry_points().get(name)) is not None:
            _refuse_disabled(point, _config_option(args[1:]))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        core = [(name, line) for name, (_, line) in sorted(self._table.items())]
        with formatter.section("Commands"):
            formatter.write_dl(core)
        of_plugins = [
            (name, f"Of {_distribution(point)}.")
            for name, point in sorted(_entry_points().items())
            if name not in self._table
        ]
        if of_plugins:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(of_plugins)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of Vigilar's own is a message and an exit code."""
        try:
            return super().invoke(ctx)
        except VigilarError as error:
            report_error(error)
            ctx.exit(error.exit_code)


def _entry_points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=_GROUP)}


def report_error(error: VigilarError) -> None:
    """Print an error to standard error, each problem of a configuration on a line of its own."""
    if isinstance(error, ConfigurationError):
        for problem in error.problems:
            click.echo(f"error: {problem}", err=True)
    else:
        click.echo(f"error: {error}", err=True)


def _load(target: str) -> click.Command:
    module, _, attribute = target.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command)
    return command


def _load_plugin(point: EntryPoint) -> click.Command:
    try:
        command = point.load()
    # A plugin's module may raise anything while it is imported; the rest of the command line
    # has to go on working.
    except (Exception, SystemExit) as error:
        raise VigilarError(
            f"the command {point.name!r} of {_distribution(point)} cannot be imported: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(command, click.Command):
        raise VigilarError(f"{point.value} of {_distribution(point)} is not a click command")
    return command


def _refuse_disabled(point: EntryPoint, config: str | None) -> None:
    """A disabled plugin is not imported, not even for its command."""
    from vigilar_core.config.load import find_config, read_config
    from vigilar_core.config.tables import table_at

    try:
        tables = read_config(find_config(config)).tables
    except ConfigurationError:
        return  # The command will say so itself, if it needs the file at all.
    listed = (table_at(tables, "plugins") or {}).get("disabled", ())
    of_distribution = {
        other.name
        for other in entry_points(group=_PLUGIN_GROUP)
        if _distribution(other) == _distribution(point)
    }
    if isinstance(listed, list) and of_distribution and of_distribution <= set(map(str, listed)):
        names = ", ".join(sorted(of_distribution))
        raise ConfigurationError(
            f"the command {point.name!r} belongs to the disabled plugin {names}; "
            f"enable it: vigilar plugins enable {names}"
        )


def _config_option(arguments: Sequence[str]) -> str | None:
    """The value of ``--config`` among a command's arguments."""
    for index, argument in enumerate(arguments):
        if argument.startswith("--config="):
            return argument.removeprefix("--config=")
        if argument in ("-c", "--config") and index + 1 < len(arguments):
            return arguments[index + 1]
    return None


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "an unknown package"
