"""The page of the hooks says what the docstrings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from vigilar_core import hookspecs
from vigilar_core.plugins import reference


def test_fields_are_read_over_several_lines_and_in_order() -> None:
    fields = reference.hook_fields(hookspecs.notify)
    assert [name for name, _ in fields] == [
        "When",
        "Returns",
        "param alert",
        "Guarantee",
        "Runs in",
        "Errors",
        "Since",
    ]
    event = dict(reference.hook_fields(hookspecs.service_run))
    assert "\n" not in "".join(event.values())
    assert event["Guarantee"].endswith("else restarts it")


def test_every_hook_stands_on_the_page_under_its_signature() -> None:
    page = reference.hooks_markdown()
    for name in reference.hook_functions():
        assert page.count(f"### `{name}(") == 1
    assert "### `notify(alert: Alert) -> Delivery | None`" in page
    assert page.index("## Declare") < page.index("## Live") < page.index("## Inline")
    assert ":class:" not in page
    assert "``" not in page


def test_what_is_out_of_date_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "files", lambda: {"a/b.md": "new\n", "c.md": "same\n"})
    (tmp_path / "c.md").write_text("same\n")
    assert reference.outdated(tmp_path) == ["a/b.md"]
    assert reference.main(["--check", str(tmp_path)]) == 1
    assert reference.main([str(tmp_path)]) == 0
    assert (tmp_path / "a" / "b.md").read_text() == "new\n"
    assert reference.main(["--check", str(tmp_path)]) == 0
