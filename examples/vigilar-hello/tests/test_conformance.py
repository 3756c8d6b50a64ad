"""The rules that every plugin keeps; the same as ``vigilar plugins check hello``."""

from __future__ import annotations

from vigilar_core.testing.conformance import check_plugin


def test_keeps_the_rules_of_plugins() -> None:
    assert check_plugin("hello") == []
