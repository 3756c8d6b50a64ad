"""``vigilar hello`` as a person uses it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from vigilar_core.cli import main


def config(folder: Path) -> Path:
    path = folder / "vigilar.toml"
    path.write_text(f'[hello]\nfile = "{folder}/alerts.txt"\n')
    return path


def test_the_last_lines_are_printed(tmp_path: Path) -> None:
    (tmp_path / "alerts.txt").write_text("one\ntwo\nthree\n")
    arguments = ["hello", "--lines", "2", "--config", str(config(tmp_path))]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.output) == (0, "two\nthree\n")


def test_no_file_is_no_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["hello", "--config", str(config(tmp_path))])
    assert result.exit_code == 0
    assert "No alert so far" in result.output
