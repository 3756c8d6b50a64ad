"""A table of the file made into its owner's model, or into every problem it has."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from vigilar_core.config.references import SecretFiles, resolve
from vigilar_core.config.schema import Schema, expand, is_secret
from vigilar_core.config.secret import redact_url
from vigilar_core.config.section import SettingsModel
from vigilar_core.config.tables import Tables
from vigilar_core.errors import Problem

_LONGEST_VALUE = 120


def validate(
    model: type[SettingsModel], table: Tables, path: str, secrets: SecretFiles
) -> tuple[SettingsModel | None, list[Problem]]:
    """The keys of ``model`` out of a table that others may share.

    :param path: what to call the table in a problem
    :returns: the model and no problem, or no model and all of them
    """
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    unresolved: set[str] = set()
    for key in (key for key in table if key in model.model_fields):
        before = len(problems)
        values[key] = resolve(table[key], secrets, f"{path}.{key}", problems)
        if len(problems) > before:
            unresolved.add(key)
            del values[key]
    try:
        found = model.model_validate(values)
    except ValidationError as error:
        schema = model.model_json_schema()
        problems += [
            _problem(each, path, schema)
            for each in error.errors(include_url=False)
            if each["loc"][:1] not in [(key,) for key in unresolved]
        ]
        return None, problems
    return (None, problems) if problems else (found, [])


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody most likely meant."""
    found = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return found[0] if found else None


def show_value(value: object, schema: Schema) -> str:
    """A value as it may stand in a message; empty for what must not or cannot be shown."""
    if is_secret(schema) or isinstance(value, Mapping | list | tuple):
        return ""
    text = redact_url(repr(value))
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _problem(error: ErrorDetails, path: str, schema: Schema) -> Problem:
    where, inner = _follow(error["loc"], path, schema)
    message = _words(error)
    if error["type"] == "extra_forbidden":
        guess = nearest(
            str(error["loc"][-1]), _follow(error["loc"][:-1], path, schema)[1].get("properties", {})
        )
        return Problem(where, "unknown key", f"did you mean {guess!r}?" if guess else "")
    shown = "" if error["type"] == "missing" else show_value(error.get("input"), inner)
    return Problem(where, f"{shown} {message}" if shown else message)


def _follow(location: tuple[int | str, ...], path: str, schema: Schema) -> tuple[str, Schema]:
    """Path and schema of a place that pydantic speaks of."""
    root, inner = schema, schema
    for step in location:
        inner = expand(inner, root)
        if isinstance(step, int):
            path, inner = f"{path}[{step}]", _item_schema(inner, step)
        elif step in (properties := inner.get("properties", {})):
            path, inner = f"{path}.{step}", properties[step]
        elif isinstance(others := inner.get("additionalProperties"), Mapping):
            path, inner = f"{path}.{step}", others
        elif "properties" in inner:
            path, inner = f"{path}.{step}", {}
    return path, expand(inner, root)


def _item_schema(schema: Schema, index: int) -> Schema:
    fixed = schema.get("prefixItems", ())
    found: Any = fixed[index] if index < len(fixed) else schema.get("items", {})
    return found if isinstance(found, Mapping) else {}


def _words(error: ErrorDetails) -> str:
    match error["type"]:
        case "missing":
            return "is required"
        case "value_error":
            return redact_url(str(error.get("ctx", {}).get("error", error["msg"])))
    return redact_url(error["msg"].replace("Input should", "should"))
