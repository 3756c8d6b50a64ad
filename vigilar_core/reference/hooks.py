"""The reference page of the hooks, written from the docstrings of their specifications."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterator, Mapping

from vigilar_core import hookspecs

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
