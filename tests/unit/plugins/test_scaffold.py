"""The starting project is a plugin that works, under any name."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from vigilar_core.errors import VigilarError
from vigilar_core.plugins.scaffold import write_project
from vigilar_core.testing.conformance import naming_problems


def test_names_follow_the_rule(tmp_path: Path) -> None:
    project = write_project("door-bell", tmp_path)
    metadata = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    ((name, target),) = metadata["entry-points"]["vigilar.plugins"].items()
    assert name == "door-bell"
    assert not list(naming_problems(name, metadata["name"], target.partition(".")[0]))
    assert (project / "src" / "vigilar_door_bell" / "py.typed").exists()


def test_nothing_of_the_template_is_left_over(tmp_path: Path) -> None:
    project = write_project("door-bell", tmp_path)
    for path in project.rglob("*"):
        if path.is_file():
            assert "{{" not in path.read_text()
            assert path.suffix != ".txt"
            if path.suffix == ".py":
                ast.parse(path.read_text())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Door", "no name"),
        ("-a", "no name"),
        ("a_b", "no name"),
        ("../x", "no name"),
        ("", "no name"),
        ("a" * 41, "no name"),
        ("motion", "Vigilar itself"),
    ],
)
def test_other_names_are_refused_and_nothing_is_written(
    tmp_path: Path, name: str, reason: str
) -> None:
    with pytest.raises(VigilarError, match=reason):
        write_project(name, tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "vigilar-bells").mkdir()
    with pytest.raises(VigilarError, match="nothing was written"):
        write_project("bells", tmp_path)
    assert list((tmp_path / "vigilar-bells").iterdir()) == []


def test_the_project_passes_its_own_tests_and_the_conformance_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = write_project("door-bell", tmp_path)
    _install(project, tmp_path / "site")
    path = f"{tmp_path / 'site'}:{project / 'src'}:{Path(*Path(__file__).parts[:-4])}"
    monkeypatch.setenv("PYTHONPATH", path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(project)],
        capture_output=True,
        text=True,
        cwd=project,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def _install(project: Path, site: Path) -> None:
    """The metadata that an installer would write."""
    metadata = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    folder = site / f"{metadata['name'].replace('-', '_')}-{metadata['version']}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {metadata['name']}\nVersion: {metadata['version']}\n"
        f"Summary: {metadata['description']}\n"
    )
    lines = [
        line
        for group, points in metadata["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {target}" for name, target in points.items()))
    ]
    (folder / "entry_points.txt").write_text("\n".join(lines))
    importlib.invalidate_caches()
