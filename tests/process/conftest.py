"""Whole installations with real processes and plugins made for one test."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vigilar_core.testing import Installation

#: Path of the project, for processes that find the core by it.
ROOT = Path(__file__).parents[2]
MakePlugin = Callable[[str, str], None]
MakeInstallation = Callable[..., Installation]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of packages made for this test."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def make_plugin(site: Path) -> MakePlugin:
    """Install a plugin: its name and the body of its module."""

    def make(name: str, body: str) -> None:
        module = f"made_{name.replace('-', '_')}"
        header = "from vigilar_core.hookspecs import hookimpl\n"
        (site / f"{module}.py").write_text(header + textwrap.dedent(body))
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[vigilar.plugins]\n{name} = {module}\n")

    return make


@pytest.fixture
def make_installation(tmp_path: Path, site: Path) -> Iterator[MakeInstallation]:
    """Make an installation that sees the plugins made; it is ended with the test."""
    made: list[Installation] = []

    def make(configuration: str = "", *, name: str = "v", **options: object) -> Installation:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}
        found = Installation(
            tmp_path / name,
            configuration,
            environment={**environment, **options.pop("variables", {})},  # type: ignore[dict-item]
            **options,  # type: ignore[arg-type]
        )
        made.append(found)
        return found

    yield make
    for each in made:
        each.stop()
