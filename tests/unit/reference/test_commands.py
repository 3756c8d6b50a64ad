"""The page of the command line shows every command with all it takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vigilar_core.errors import ExitCode
from vigilar_core.reference.commands import (
    EXIT_WORDS,
    CommandPage,
    command_pages,
    commands_markdown,
)

PAGES = command_pages()
LEAVES = [page for page in PAGES if page.usage]


def test_commands_of_the_core_and_of_its_plugins_are_there_with_their_owner() -> None:
    owners = {page.path: page.owner for page in PAGES}
    assert owners["vigilar config validate"] == "vigilar"
    assert owners["vigilar recordings export"] == "vigilar-recorder"
    assert owners["vigilar web sign-in-link"] == "vigilar-web"


def test_commands_of_third_parties_are_not() -> None:
    assert not [page for page in PAGES if page.path.startswith("vigilar hello")]


@pytest.mark.parametrize("page", LEAVES, ids=lambda page: page.path)
def test_every_command_and_option_says_what_it_is_for(page: CommandPage) -> None:
    assert page.text.partition("\n\n")[0].rstrip().endswith((".", "ffplay -"))
    assert all(names.startswith("-") and meaning for names, meaning in page.options)


def test_the_page_agrees_with_the_help_of_the_command_itself() -> None:
    page = next(page for page in PAGES if page.path == "vigilar recordings delete")
    shown = subprocess.run(
        [sys.executable, "-m", "vigilar_core.cli", "recordings", "delete", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"Usage: {page.usage}" in shown
    assert {names for names, _ in page.options} == {"--yes", "-c, --config FILE"}
    assert "--yes" in shown


def test_every_exit_code_is_explained_and_every_command_has_its_heading() -> None:
    page = commands_markdown()
    assert set(map(int, ExitCode)) <= set(EXIT_WORDS)
    for code in EXIT_WORDS:
        assert f"\n| {int(code)} | " in page
    for each in PAGES:
        assert page.count(f"# `{each.path}`\n") == 1
