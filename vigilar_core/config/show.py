"""The configuration in effect, for people to look at: defaults filled in, secrets masked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vigilar_core.config.schema import SectionSchema


def effective(sections: Iterable[SectionSchema]) -> dict[str, Any]:
    """All sections as nested tables; arrays of tables as lists, contributions side by side."""
    shown: dict[str, Any] = {}
    items: dict[str, dict[str, dict[str, Any]]] = {}
    for section in sections:
        if section.many:
            of_path = items.setdefault(section.path, {})
            for identity, values in section.values.items():
                of_path.setdefault(identity, {}).update(values)
        else:
            _table(shown, section.path).update(section.values)
    for path, of_path in items.items():
        parent, _, name = path.rpartition(".")
        (_table(shown, parent) if parent else shown)[name] = list(of_path.values())
    return shown


def _table(tables: dict[str, Any], path: str) -> dict[str, Any]:
    for name in path.split("."):
        tables = tables.setdefault(name, {})
    return tables
