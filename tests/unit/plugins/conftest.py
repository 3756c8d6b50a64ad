"""Plugins made for a test: a folder that looks like site-packages, seen by children too."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

#: name, source of its module, → name of its distribution
Install = Callable[..., str]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """``install("bells", "source")`` puts a plugin where this process and its children find it."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    inherited = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(site), inherited))))
    before = set(sys.modules)

    def put(
        name: str,
        source: str,
        *,
        distribution: str | None = None,
        version: str = "1.2.3",
        summary: str = "Made for a test",
        commands: str = "",
    ) -> str:
        distribution = distribution or f"vigilar-{name}"
        module = f"{distribution.replace('-', '_')}"
        metadata = site / f"{module}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
            + (f"Summary: {summary}\n" if summary else "")
        )
        (metadata / "entry_points.txt").write_text(
            f"[vigilar.plugins]\n{name} = {module}\n\n[vigilar.commands]\n{commands}\n"
        )
        (site / f"{module}.py").write_text(source)
        importlib.invalidate_caches()
        return distribution

    yield put
    for name in set(sys.modules) - before:
        if name.startswith("vigilar_") and not name.startswith("vigilar_core"):
            del sys.modules[name]
