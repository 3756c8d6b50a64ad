"""What is generated is written, and found when it is out of date."""

from __future__ import annotations

from pathlib import Path

import pytest

from vigilar_core.reference import generated


def test_what_is_out_of_date_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated, "files", lambda: {"a/b.md": "new\n", "c.md": "same\n"})
    (tmp_path / "c.md").write_text("same\n")
    assert generated.outdated(tmp_path) == ["a/b.md"]
    assert generated.main(["--check", str(tmp_path)]) == 1
    assert generated.main([str(tmp_path)]) == 0
    assert (tmp_path / "a" / "b.md").read_text() == "new\n"
    assert generated.main(["--check", str(tmp_path)]) == 0
