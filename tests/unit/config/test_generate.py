"""Sample file, reference page and schema say what the models say."""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from typing import Any, Literal

import pytest
from pydantic import Field

from vigilar_core.config import ConfigSection, Secret, SettingsModel, build_settings
from vigilar_core.config.check import check_tables
from vigilar_core.config.core import SECTIONS
from vigilar_core.config.generate import reference_markdown, sample_toml, toml_value
from vigilar_core.config.joined_schema import joined_schema
from vigilar_core.config.schema import SectionSchema


class Colour(StrEnum):
    RED = "red"


class Corner(SettingsModel):
    x: float = Field(default=0.5, ge=0, le=1, description="Across")


class Everything(SettingsModel):
    """One key of each sort."""

    text: str = Field(default='say "hi" \\ ü', description="Text with | in it")
    number: int = Field(default=5, ge=1, le=9, description="Number")
    share: float = Field(default=0.25, gt=0, lt=1, description="Share")
    flag: bool = Field(default=True, description="Flag")
    colour: Colour = Field(default=Colour.RED, description="Colour")
    way: Literal["tcp", "udp"] = Field(default="tcp", description="Way")
    size: tuple[int, int] = Field(default=(640, 360), description="Size")
    corners: list[Corner] = Field(default=[Corner()], description="Corners")
    names: dict[str, int] = Field(default={"a": 1}, description="Names")
    limit: int | None = Field(default=None, examples=[3], description="Limit")
    token: Secret = Field(default=Secret(), description="Token")


EVERYTHING = ConfigSection("test.everything", Everything)
SCHEMAS = [
    *(SectionSchema.of(section) for section in SECTIONS),
    SectionSchema.of(EVERYTHING, "everything"),
    SectionSchema.of(ConfigSection("cameras", Corner, many=True), "corner"),
]


def uncommented(text: str) -> dict[str, Any]:
    """The sample with every key and every section switched on."""
    lines = (re.sub(r"^# (?=[\[\w]+( = |\]))", "", line) for line in text.splitlines())
    return tomllib.loads("\n".join(lines))


def test_the_sample_works_as_it_is_and_sets_nothing() -> None:
    tables = tomllib.loads(sample_toml(SCHEMAS))
    assert not check_tables(tables, SCHEMAS).problems
    settings = build_settings(tables, [EVERYTHING])
    assert settings.section(Everything) == Everything()
    assert not settings.has("mqtt")
    assert settings.items("cameras") == ()


def test_each_default_of_the_sample_is_the_default_of_the_model() -> None:
    tables = uncommented(sample_toml(SCHEMAS))
    assert tables["test"]["everything"].keys() == Everything.model_fields.keys()
    assert not check_tables(tables, SCHEMAS).problems
    settings = build_settings(tables, [EVERYTHING])
    assert settings.section(Everything) == Everything(limit=3)
    for section in SECTIONS:
        if not section.many and section.path != "mqtt":
            assert settings.section(section.model) == section.model()
    assert settings.items("cameras") == ("front_door",)


def test_the_page_names_type_range_default_owner_and_meaning() -> None:
    page = reference_markdown(SCHEMAS)
    assert "## `[[cameras]]`" in page
    assert "| `number` | integer, 1 to 9 | `5` | everything | Number |" in page
    assert "| `share` | number, above 0 to below 1 | `0.25` | everything | Share |" in page
    assert '| `way` | one of `tcp`, `udp` | `"tcp"` | everything | Way |' in page
    assert "| `size` | list of integer, integer | `[640, 360]` | everything | Size |" in page
    assert "| `corners` | list of table with `x` | `[{ x = 0.5 }]` | everything | Corners |" in page
    assert "| `limit` | integer | none | everything | Limit |" in page
    assert '| `token` | secret | `""` | everything | Token |' in page
    assert "| `id` | string | required | core |" in page
    assert "Text with \\| in it" in page
    assert "**Deprecated:** set pin_hash" in page


@pytest.mark.parametrize(
    "value", ["a", 'q"u\\o', "ü\n\t", 1, 1.5, True, [1, [2]], {"a": {"b": []}}, {}, [{"x": 1}]]
)
def test_values_are_written_as_toml_reads_them(value: object) -> None:
    assert tomllib.loads(f"key = {toml_value(value)}") == {"key": value}


def test_the_joined_schema_describes_all_contributions_and_refuses_the_rest() -> None:
    schema = joined_schema(SCHEMAS)
    camera = schema["properties"]["cameras"]["items"]
    assert {"id", "location", "x"} <= camera["properties"].keys()
    assert camera["required"] == ["id"]
    assert camera["additionalProperties"] is False
    everything = schema["properties"]["test"]["properties"]["everything"]
    assert everything["properties"]["number"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 9,
        "default": 5,
        "description": "Number",
        "title": "Number",
    }


def test_every_reference_of_the_joined_schema_leads_somewhere() -> None:
    schema = joined_schema(SCHEMAS)
    references = re.findall(r"'\$ref': '#/\$defs/([^']+)'", str(schema))
    assert references
    assert set(references) <= schema["$defs"].keys()
