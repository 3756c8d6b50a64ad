"""Everything that is generated: which files there are, and whether they are up to date."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vigilar_core.config.generate import reference_markdown, sample_toml
from vigilar_core.errors import VigilarError
from vigilar_core.plugins.plan import build_plan
from vigilar_core.reference.commands import commands_markdown
from vigilar_core.reference.events import events_markdown
from vigilar_core.reference.hooks import hooks_markdown


def files() -> Mapping[str, str]:
    """Every generated file: path below the project's root → text.

    :raises VigilarError: a plugin of the project is broken, so that pages would lack its part
    """
    plan = build_plan({}, third_party=False)
    if plan.problems or plan.warnings:
        raise VigilarError("; ".join(map(str, (*plan.problems, *plan.warnings))))
    return {
        "config/vigilar.toml": sample_toml(plan.sections),
        "docs/reference/commands.md": commands_markdown(),
        "docs/reference/configuration.md": reference_markdown(plan.sections),
        "docs/reference/events.md": events_markdown(plan),
        "docs/reference/hooks.md": hooks_markdown(),
    }


def outdated(root: Path) -> list[str]:
    """Generated files below ``root`` that are missing or differ."""
    return [
        path
        for path, text in files().items()
        if not (root / path).is_file() or (root / path).read_text() != text
    ]


def write(root: Path) -> None:
    """Write all generated files below ``root``."""
    for path, text in files().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def main(arguments: Sequence[str]) -> int:
    """``[--check] [ROOT]``: write the files, or name those that are out of date and return 1."""
    check = "--check" in arguments
    root = Path(next((each for each in arguments if not each.startswith("-")), "."))
    if not check:
        write(root)
        return 0
    stale = outdated(root)
    for path in stale:
        sys.stderr.write(f"{path} is out of date: nox -s docs\n")
    return 1 if stale else 0
