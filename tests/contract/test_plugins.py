"""Every plugin of this repository keeps the rules that third parties are held to."""

from __future__ import annotations

from pathlib import Path

import pytest

from vigilar_core.testing.conformance import check_plugin

ROOT = Path(__file__).parents[2]
NAMES = sorted(
    path.parent.name.removeprefix("vigilar-")
    for folder in ("plugins", "examples")
    for path in ROOT.glob(f"{folder}/*/pyproject.toml")
)


@pytest.mark.parametrize("name", NAMES)
def test_a_plugin_keeps_the_rules(name: str) -> None:
    assert check_plugin(name) == []
