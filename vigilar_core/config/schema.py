"""A section as plain data: what is known of it without importing its owner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vigilar_core.config.core import CORE
from vigilar_core.config.section import ConfigSection

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SectionSchema:
    """A contribution to the configuration, described by JSON Schema (draft 2020-12).

    :param path: dotted table name
    :param many: an array of tables
    :param owner: name of the plugin, or ``core``
    :param schema: of one table
    :param values: keys as they are in effect, secrets masked; of an array: id → keys
    """

    path: str
    many: bool
    owner: str
    schema: Schema
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, section: ConfigSection, owner: str = CORE) -> SectionSchema:
        """The description of a declared section."""
        return cls(section.path, section.many, owner, section.model.model_json_schema())

    @property
    def keys(self) -> Mapping[str, Schema]:
        """The section's keys, each with its schema."""
        return dict(self.schema.get("properties", {}))

    @property
    def presence_matters(self) -> bool:
        """Whether an empty section means something else than none."""
        return bool(self.schema.get("x-presence-matters"))


def is_secret(schema: Schema) -> bool:
    """Whether a value must never be shown."""
    return schema.get("format") == "password"


def expand(schema: Schema, root: Schema) -> Schema:
    """A schema with its ``$ref`` followed; an optional value's schema is that of the value."""
    while True:
        if "$ref" in schema:
            name = str(schema["$ref"]).rpartition("/")[2]
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**root.get("$defs", {}).get(name, {}), **rest}
        elif len(schema.get("allOf", ())) == 1:
            rest = {key: value for key, value in schema.items() if key != "allOf"}
            schema = {**schema["allOf"][0], **rest}
        elif len(choices := _without_null(schema)) == 1:
            rest = {key: value for key, value in schema.items() if key != "anyOf"}
            schema = {**choices[0], **rest}
        else:
            return schema


def walk(value: Any, schema: Schema, root: Schema, path: str) -> Iterator[tuple[str, Any, Schema]]:
    """Every value inside a value, with its path and the schema that describes it."""
    schema = expand(schema, root)
    yield path, value, schema
    if isinstance(value, Mapping):
        properties = schema.get("properties", {})
        others = schema.get("additionalProperties")
        for key, each in value.items():
            inner = properties.get(key, others if isinstance(others, Mapping) else {})
            yield from walk(each, inner, root, f"{path}.{key}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from walk(each, schema.get("items", {}), root, f"{path}[{index}]")


def _without_null(schema: Schema) -> list[Schema]:
    choices = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return choices if "anyOf" in schema else []
