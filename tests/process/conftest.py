"""Whole installations with real processes and plugins made for one test."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from vigilar_core.testing import Installation

#: Path of the project, for processes that find the core by it.
ROOT = Path(__file__).parents[2]

#: What is installed beside the plugins made here stays out of these tests.
ONLY_MADE_HERE = """
[plugins]
disabled = ["camera-rtsp", "hello", "live", "motion", "recorder", "web"]
"""


class Workshop:
    """Makes plugins and installations that see them, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site"
        self.site.mkdir()
        self._made: list[Installation] = []

    def plugin(self, name: str, body: str) -> None:
        """Install a plugin: its name and the body of its module."""
        module = f"made_{name.replace('-', '_')}"
        header = "from vigilar_core.hookspecs import hookimpl\n"
        (self.site / f"{module}.py").write_text(header + textwrap.dedent(body))
        info = self.site / f"{module}-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[vigilar.plugins]\n{name} = {module}\n")

    def installation(
        self, configuration: str = "", *, variables: Mapping[str, str] | None = None
    ) -> Installation:
        """An installation that is not started yet; it is ended with the test."""
        path = f"{ROOT}{os.pathsep}{self.site}"
        found = Installation(
            self.folder / f"v{len(self._made)}",
            configuration if "[plugins]" in configuration else ONLY_MADE_HERE + configuration,
            environment={**os.environ, "PYTHONPATH": path, **(variables or {})},
        )
        self._made.append(found)
        return found

    def close(self) -> None:
        for each in self._made:
            each.stop()


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """Plugins and installations of one test."""
    found = Workshop(tmp_path)
    yield found
    found.close()


@pytest.fixture(scope="module")
def shared_workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """Plugins and installations of all tests of a module."""
    found = Workshop(tmp_path_factory.mktemp("shared"))
    yield found
    found.close()
