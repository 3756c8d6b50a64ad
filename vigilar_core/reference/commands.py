"""The reference page of the command line, written from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points

import click

from vigilar_core.cli.root import COMMANDS, main
from vigilar_core.config.catalogue import FIRST_PARTY
from vigilar_core.errors import ExitCode
from vigilar_core.plugins.discovery import COMMAND_GROUP, distribution_name

#: What each exit code means, for every command that says nothing else of it.
EXIT_WORDS: Mapping[int, str] = {
    ExitCode.OK: "done",
    1: "the command found something wrong, or was broken off",
    2: "the command line itself is wrong",
    ExitCode.BOOT: "it could not be done",
    ExitCode.LATER: "not now; try again soon",
    ExitCode.CONFIGURATION: "the configuration must change first",
}


@dataclass(frozen=True, slots=True)
class CommandPage:
    """One command as the page shows it.

    :param path: its words: ``vigilar config validate``
    :param usage: the line that calls it; empty for a group, which does nothing by itself
    :param text: what it does, paragraphs parted by empty lines
    :param options: name with its value, and what it means, ``--help`` left out
    :param owner: the distribution it came with, ``vigilar`` for the core's own
    """

    path: str
    usage: str
    text: str
    options: tuple[tuple[str, str], ...]
    owner: str


def command_pages() -> list[CommandPage]:
    """Every command of the core and of the project's own plugins, groups before their members."""
    with click.Context(main, info_name="vigilar") as context:
        found = [_page(main, context, "vigilar")]
        for name, owner in sorted(_owners().items()):
            command = main.get_command(context, name)
            assert command is not None, f"{name} is listed and cannot be found"
            found += _walk(command, name, context, owner)
    return found


def commands_markdown() -> str:
    """The reference page of the command line."""
    root, *pages = command_pages()
    lines = ["# Commands", "", "Written from the commands by `nox -s docs`.", ""]
    lines += ["Each command also knows `-h`/`--help`. Exit codes, where a command names no other:"]
    lines += ["", "| code | meaning |", "|---|---|"]
    lines += [f"| {int(code)} | {words} |" for code, words in sorted(EXIT_WORDS.items())]
    lines += _section(root, "## ")
    for page in pages:
        lines += _section(page, "#" * (page.path.count(" ") + 1) + " ")
    return "\n".join(lines) + "\n"


def _owners() -> dict[str, str]:
    """Command → distribution; plugins of third parties have no place on the page."""
    owners = {
        point.name: distribution
        for point in entry_points(group=COMMAND_GROUP)
        if (distribution := distribution_name(point.dist)) in FIRST_PARTY
    }
    return {**owners, **dict.fromkeys(COMMANDS, "vigilar")}


def _walk(
    command: click.Command, name: str, parent: click.Context, owner: str
) -> Iterator[CommandPage]:
    with click.Context(command, info_name=name, parent=parent) as context:
        yield _page(command, context, owner)
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                found = command.get_command(context, inner)
                assert found is not None, f"{inner} is listed and cannot be found"
                yield from _walk(found, inner, context, owner)


def _page(command: click.Command, context: click.Context, owner: str) -> CommandPage:
    pieces = [context.command_path, *command.collect_usage_pieces(context)]
    records = (
        option.get_help_record(context)
        for option in command.params
        if isinstance(option, click.Option)
    )
    return CommandPage(
        path=context.command_path,
        usage="" if isinstance(command, click.Group) else " ".join(pieces),
        text=inspect.cleandoc(command.help or ""),
        options=tuple(record for record in records if record is not None),
        owner=owner,
    )


def _section(page: CommandPage, mark: str) -> list[str]:
    of_plugin = page.owner != "vigilar" and page.path.count(" ") == 1
    lines = ["", f"{mark}`{page.path}`", "", page.text]
    if of_plugin:
        lines[-1] += f" Comes with {page.owner}."
    if page.usage:
        lines += ["", f"`{page.usage}`"]
    if page.options:
        lines += ["", *(f"- `{names}` – {meaning}" for names, meaning in page.options)]
    return lines
