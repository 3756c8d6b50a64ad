"""One JSON Schema for the whole file, joined from the contributions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vigilar_core.config.schema import SectionSchema


def joined_schema(sections: Iterable[SectionSchema]) -> dict[str, Any]:
    """One JSON Schema (draft 2020-12) for the whole file, for editors that complete and check."""
    root: dict[str, Any] = _object("Configuration of Vigilar")
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    root["$defs"] = {
        "secret": {
            **_object("A string kept in a file of its own"),
            "properties": {"secret": {"type": "string"}},
            "required": ["secret"],
        }
    }
    for section in sections:
        _merge(_schema_at(root, section.path, section.many), section, root["$defs"])
    return root


def _object(description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": {},
        "additionalProperties": False,
    }


def _schema_at(root: dict[str, Any], path: str, many: bool) -> dict[str, Any]:
    """The object schema of a section inside the whole one, made where it is not there yet."""
    found = root
    names = path.split(".")
    for index, name in enumerate(names):
        found = found["properties"].setdefault(name, _object(""))
        if many and index == len(names) - 1 and "items" not in found:
            found.clear()
            found.update(type="array", items=_object(""))
        found = found.get("items", found)
    return found


def _merge(into: dict[str, Any], section: SectionSchema, definitions: dict[str, Any]) -> None:
    prefix = f"{section.owner}.{section.path}."
    for name, definition in section.schema.get("$defs", {}).items():
        definitions[prefix + name] = _rewritten(definition, prefix)
    into["description"] = into["description"] or section.schema.get("description", "")
    for key, schema in section.keys.items():
        into["properties"][key] = _or_reference(_rewritten(schema, prefix))
    required = [*into.get("required", ()), *section.schema.get("required", ())]
    if required:
        into["required"] = required


def _or_reference(schema: dict[str, Any]) -> dict[str, Any]:
    """Any string may stand in a file of its own."""
    if schema.get("type") != "string":
        return schema
    kept: dict[str, Any] = {
        key: schema.pop(key) for key in ("description", "default") if key in schema
    }
    return {**kept, "anyOf": [schema, {"$ref": "#/$defs/secret"}]}


def _rewritten(schema: Any, prefix: str) -> Any:
    """A schema whose ``$ref`` point at the joined definitions."""
    if isinstance(schema, Mapping):
        return {
            key: f"#/$defs/{prefix}{str(each).rpartition('/')[2]}"
            if key == "$ref"
            else _rewritten(each, prefix)
            for key, each in schema.items()
        }
    if isinstance(schema, list):
        return [_rewritten(each, prefix) for each in schema]
    return schema
