"""Pages and files written from the declarations: ``python -m vigilar_core.plugins.reference``."""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path

from vigilar_core import hookspecs
from vigilar_core.config.generate import reference_markdown, sample_toml
from vigilar_core.errors import VigilarError
from vigilar_core.plugins.plan import build_plan

#: What the docstring of each hook says, in this order; ``param`` once per argument.
FIELDS: tuple[str, ...] = ("When", "Returns", "param", "Guarantee", "Runs in", "Errors", "Since")
_FIELD = re.compile(r":(?P<name>[A-Za-z][^:]*?):\s+(?P<text>.*)", re.DOTALL)
_PHASE = re.compile(r"^# -+ (?P<phase>[\w ]+)$", re.MULTILINE)


def hook_functions() -> Mapping[str, types.FunctionType]:
    """All hook specifications in the order of the module."""
    return {
        name: value
        for name, value in vars(hookspecs).items()
        if isinstance(value, types.FunctionType) and value.__module__ == hookspecs.__name__
    }


def hook_fields(function: types.FunctionType) -> list[tuple[str, str]]:
    """The fields of a specification's docstring in order: ``("param frame", "valid …")``."""
    text = inspect.getdoc(function) or ""
    _, _, fields = text.partition("\n\n:")
    parts = re.split(r"\n(?=:)", f":{fields}") if fields else []
    matches = (_FIELD.fullmatch(part.strip()) for part in parts)
    return [(match["name"], " ".join(match["text"].split())) for match in matches if match]


def hooks_markdown() -> str:
    """The reference page of the hooks."""
    lines = ["# Hooks", "", *(inspect.getdoc(hookspecs) or "").splitlines()]
    phases = dict(_phases())
    for name, function in hook_functions().items():
        if name in phases:
            lines += ["", f"## {phases[name].capitalize()}"]
        lines += ["", f"### `{name}{_signature(function)}`", "", _summary(function), ""]
        lines += [
            f"- **{label.removeprefix('param ')}**: {text}"
            if not label.startswith("param ")
            else f"- `{label.removeprefix('param ')}`: {text}"
            for label, text in hook_fields(function)
        ]
    return _plain_roles("\n".join(lines)) + "\n"


def files() -> Mapping[str, str]:
    """Everything that is generated: path below the project's root → text.

    :raises VigilarError: a plugin of the project is broken, so that pages would lack its part
    """
    plan = build_plan({}, third_party=False)
    if plan.problems or plan.warnings:
        raise VigilarError("; ".join(map(str, (*plan.problems, *plan.warnings))))
    return {
        "config/vigilar.toml": sample_toml(plan.sections),
        "docs/reference/configuration.md": reference_markdown(plan.sections),
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


def main(arguments: list[str]) -> int:
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


def _phases() -> Iterator[tuple[str, str]]:
    """The first hook of each group with the group's name, read from the module's rulers."""
    source = inspect.getsource(hookspecs)
    for match in _PHASE.finditer(source):
        following = re.search(r"^def (\w+)", source[match.end() :], re.MULTILINE)
        if following:
            yield following[1], match["phase"]


def _signature(function: types.FunctionType) -> str:
    signature = inspect.signature(function)
    parameters = ", ".join(
        f"{name}: {parameter.annotation}" for name, parameter in signature.parameters.items()
    )
    return f"({parameters}) -> {signature.return_annotation}"


def _summary(function: types.FunctionType) -> str:
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def _plain_roles(text: str) -> str:
    text = re.sub(r":\w+:`~?([^`]+)`", lambda match: f"`{match[1]}`", text)
    return text.replace("``", "`")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
