"""The sample file and the reference page, written from the declarations alone."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from vigilar_core.config.core import CORE
from vigilar_core.config.schema import Schema, SectionSchema, expand

_WIDTH = 96
_HEAD = """\
# Configuration of Vigilar. Written from the settings of the core and of its plugins.
# Each key is shown with its default; remove the '#' before what you change.
# A string may stand in a file of its own: key = { secret = "name" }
# After each change: vigilar config validate
"""


def sample_toml(sections: Iterable[SectionSchema]) -> str:
    """A file that works as it is and shows every key with its default, commented out."""
    parts = [_HEAD]
    for path, contributions in _by_path(sections).items():
        parts.append("\n".join(_sample_section(path, contributions)))
    return "\n".join(parts)


def reference_markdown(sections: Iterable[SectionSchema]) -> str:
    """A page with every section, key, type, range and default, and whom it belongs to."""
    lines = [
        "# Configuration",
        "",
        "Written from the declarations of the core and of the plugins by `nox -s docs`.",
    ]
    for path, contributions in _by_path(sections).items():
        lines += ["", f"## `{_title(path, contributions)}`", ""]
        for contribution in contributions:
            lines += _section_text(contribution)
        lines += ["| key | type | default | owner | meaning |", "|---|---|---|---|---|"]
        for contribution in contributions:
            lines += [_row(contribution, key, value) for key, value in contribution.keys.items()]
    return "\n".join(lines) + "\n"


def type_words(schema: Schema, root: Schema) -> str:
    """A type and its range in words: ``integer, 1 to 30``."""
    schema = expand(schema, root)
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "anyOf" in schema:
        return " or ".join(type_words(each, root) for each in schema["anyOf"])
    name = _type_name(schema, root)
    limits = _limits(schema)
    return f"{name}, {limits}" if limits else name


def toml_value(value: Any) -> str:
    """A JSON value as TOML writes it, on one line."""
    match value:
        case Mapping():
            inner = ", ".join(f"{key} = {toml_value(each)}" for key, each in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case list() | tuple():
            return f"[{', '.join(toml_value(each) for each in value)}]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _by_path(sections: Iterable[SectionSchema]) -> Mapping[str, Sequence[SectionSchema]]:
    """Contributions by section: the core's first, then by name; within one, the core's first."""
    found: dict[str, list[SectionSchema]] = {}
    listed = list(sections)
    ordered = [each for each in listed if each.owner == CORE]
    ordered += sorted((each for each in listed if each.owner != CORE), key=lambda each: each.path)
    for section in ordered:
        found.setdefault(section.path, []).append(section)
    return {path: sorted(each, key=lambda one: one.owner != CORE) for path, each in found.items()}


def _title(path: str, contributions: Sequence[SectionSchema]) -> str:
    return f"[[{path}]]" if contributions[0].many else f"[{path}]"


def _sample_section(path: str, contributions: Sequence[SectionSchema]) -> Iterator[str]:
    first = contributions[0]
    hidden = first.many or any(each.presence_matters for each in contributions)
    yield from _comment(first.schema.get("description", ""))
    yield f"{'# ' if hidden else ''}{_title(path, contributions)}"
    for contribution in contributions:
        if contribution.owner != CORE:
            yield f"# Keys of the plugin {contribution.owner}:"
        for key, schema in contribution.keys.items():
            yield from _sample_key(key, expand(schema, contribution.schema))
    yield ""


def _sample_key(key: str, schema: Schema) -> Iterator[str]:
    if "x-deprecated" in schema:
        return
    yield from _comment(schema.get("description", ""), indent="#   ")
    yield f"# {key} = {toml_value(_sample_value(schema))}"


def _sample_value(schema: Schema) -> Any:
    """The default; an example where there is none or it cannot be written."""
    examples = schema.get("examples", ())
    default = schema.get("default")
    return examples[0] if default is None and examples else default


def _comment(text: str, indent: str = "# ") -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield from textwrap.wrap(
            " ".join(paragraph.split()), _WIDTH, initial_indent=indent, subsequent_indent=indent
        )


def _section_text(section: SectionSchema) -> list[str]:
    text = " ".join(str(section.schema.get("description", "")).split("\n\n")[0].split())
    return [text, ""] if text else []


def _row(section: SectionSchema, key: str, schema: Schema) -> str:
    full = expand(schema, section.schema)
    if key in section.schema.get("required", ()):
        default = "required"
    elif full.get("default") is None:
        default = "none"
    else:
        default = f"`{toml_value(full['default'])}`"
    meaning = str(full.get("description", ""))
    if advice := full.get("x-deprecated"):
        meaning = f"**Deprecated:** {advice}. {meaning}"
    cells = (f"`{key}`", type_words(schema, section.schema), default, section.owner, meaning)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _type_name(schema: Schema, root: Schema) -> str:
    match schema.get("format"), schema.get("type"):
        case ("password", _):
            return "secret"
        case ("uri", _):
            return "URL"
        case ("path", _):
            return "absolute path"
        case (_, "array"):
            if "prefixItems" in schema:
                inner = ", ".join(type_words(each, root) for each in schema["prefixItems"])
                return f"list of {inner}"
            return f"list of {type_words(schema.get('items', {}), root)}"
        case (_, "object"):
            if keys := schema.get("properties"):
                return f"table with {', '.join(f'`{key}`' for key in keys)}"
            return "table"
        case (_, str() as name):
            return name
    return "any value"


def _limits(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    lower = f"{low}" if low is not None else f"above {above}" if above is not None else ""
    upper = f"{high}" if high is not None else f"below {below}" if below is not None else ""
    if lower and upper:
        return f"{lower} to {upper}"
    return f"at least {lower}" if lower and low is not None else lower or (upper and f"to {upper}")
