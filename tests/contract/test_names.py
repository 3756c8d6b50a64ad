"""Distribution, package and plugin are called alike, and all packages have one version."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from vigilar_core import __version__
from vigilar_core.config.catalogue import FIRST_PARTY
from vigilar_core.testing.conformance import naming_problems

ROOT = Path(__file__).parents[2]
PROJECTS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/pyproject.toml"))


def project(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return found


def test_there_are_plugins_to_look_at() -> None:
    assert PROJECTS
    assert EXAMPLES


@pytest.mark.parametrize("folder", [*PROJECTS, *EXAMPLES], ids=lambda folder: folder.name)
def test_a_plugin_is_called_alike_everywhere(folder: Path) -> None:
    metadata = project(folder)
    ((name, target),) = metadata["entry-points"]["vigilar.plugins"].items()
    assert not list(naming_problems(name, metadata["name"], target.partition(".")[0]))
    assert folder.name == metadata["name"]
    assert (folder / "src" / metadata["name"].replace("-", "_") / "__init__.py").exists()


@pytest.mark.parametrize("folder", [*PROJECTS, *EXAMPLES], ids=lambda folder: folder.name)
def test_a_plugin_has_the_version_of_the_core_and_asks_for_it(folder: Path) -> None:
    metadata = project(folder)
    assert metadata["version"] == __version__
    assert f"vigilar=={__version__}" in metadata["dependencies"]
    assert (folder / metadata["readme"]).exists()


def test_the_root_carries_every_plugin_as_an_extra_of_its_name() -> None:
    metadata = project(ROOT)
    assert (metadata["name"], metadata["version"]) == ("vigilar", __version__)
    for folder in PROJECTS:
        name = folder.name.removeprefix("vigilar-")
        pinned = f"{folder.name}=={__version__}"
        assert metadata["optional-dependencies"][name] == [pinned]
        assert pinned in metadata["optional-dependencies"]["all"]


def test_every_plugin_of_the_house_is_known_as_such() -> None:
    assert {folder.name for folder in PROJECTS} <= FIRST_PARTY
    assert not {folder.name for folder in EXAMPLES} & FIRST_PARTY
