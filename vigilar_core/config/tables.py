"""Finding one's way in the nested tables of a TOML file. No meaning, only shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Tables = Mapping[str, Any]


def child(path: str, key: str) -> str:
    """The dotted path of a key inside a table; the file itself has the empty path."""
    return f"{path}.{key}" if path else key


def table_at(tables: Tables, path: str) -> Tables | None:
    """The table at a dotted path, ``None`` when the file has none there.

    ``[sensors.gpio]`` after a ``[[sensors]]`` is a table of the last sensor (TOML 1.0, "Array of
    Tables"), though people mean a table beside them: an array on the way is searched from its end.
    """
    found: Any = tables
    for name in path.split("."):
        if isinstance(found, list):
            found = next((item for item in reversed(found) if name in tables_only(item)), {})
        found = tables_only(found).get(name)
    return found if isinstance(found, Mapping) else None


def items_at(tables: Tables, path: str) -> Sequence[Tables]:
    """The items of an array of tables that are tables; empty when there are none."""
    parent, _, name = path.rpartition(".")
    found = tables if not parent else table_at(tables, parent)
    items = (found or {}).get(name)
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def item_id(item: Tables) -> str | None:
    """The id of an item, ``None`` when it has no usable one."""
    found = item.get("id")
    return found if isinstance(found, str) and found else None


def item_path(path: str, index: int, item: Tables) -> str:
    """What to call an item in a message: by id where it has one, else by its place."""
    identity = item_id(item)
    return child(path, identity) if identity else f"{path}[{index}]"


def items_with_paths(tables: Tables, path: str) -> Iterator[tuple[str, Tables]]:
    """Each item of an array of tables with what to call it."""
    for index, item in enumerate(items_at(tables, path)):
        yield item_path(path, index, item), item


def tables_only(value: object) -> Tables:
    """The value itself when it is a table, else an empty one."""
    return value if isinstance(value, Mapping) else {}
