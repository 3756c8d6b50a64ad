"""The public names of the core, written down: a change of them is a change of the contract.

After a change on purpose: ``python tests/contract/test_public_surface.py``
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

#: Modules that plugins may import from.
MODULES = (
    "vigilar_core.alerts",
    "vigilar_core.bus",
    "vigilar_core.bus.topics",
    "vigilar_core.cli.options",
    "vigilar_core.clock",
    "vigilar_core.config",
    "vigilar_core.config.core",
    "vigilar_core.context",
    "vigilar_core.errors",
    "vigilar_core.events",
    "vigilar_core.frames",
    "vigilar_core.health",
    "vigilar_core.hookspecs",
    "vigilar_core.media",
    "vigilar_core.paths",
    "vigilar_core.plugins",
    "vigilar_core.store",
    "vigilar_core.testing",
    "vigilar_core.testing.conformance",
    "vigilar_core.web",
)
SURFACE = Path(__file__).with_name("public_surface.txt")


def public_names(module: str) -> list[str]:
    """``__all__``, else what the module itself defines without an underscore."""
    found = importlib.import_module(module)
    if hasattr(found, "__all__"):
        return sorted(found.__all__)
    return sorted(name for name in _defined(inspect.getsource(found)) if not name.startswith("_"))


def _defined(source: str) -> Iterator[str]:
    for node in ast.parse(source).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar"))):
                pass
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def surface() -> str:
    return "".join(f"{module}: {' '.join(public_names(module))}\n" for module in MODULES)


def test_the_public_surface_is_the_one_written_down() -> None:
    assert surface().splitlines() == SURFACE.read_text().splitlines()


def test_every_public_name_exists_once() -> None:
    for module in MODULES:
        names = public_names(module)
        assert names
        assert len(set(names)) == len(names)
        assert all(hasattr(importlib.import_module(module), name) for name in names)


if __name__ == "__main__":
    SURFACE.write_text(surface())
