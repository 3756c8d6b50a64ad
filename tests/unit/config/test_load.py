"""The file: which one, what is wrong with it, who may read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vigilar_core.config.core import System
from vigilar_core.config.load import (
    ConfigFile,
    check_permissions,
    find_config,
    load_settings,
    parse_config,
    read_config,
)
from vigilar_core.errors import ConfigurationError


def test_the_option_comes_before_the_variable_before_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIGILAR_CONFIG", "/etc/vigilar/vigilar.toml")
    assert find_config("/a.toml") == Path("/a.toml")
    assert find_config() == Path("/etc/vigilar/vigilar.toml")
    monkeypatch.delenv("VIGILAR_CONFIG")
    assert find_config() == tmp_path / "config" / "vigilar.toml"
    monkeypatch.setenv("VIGILAR_CONFIG", "")
    assert find_config() == tmp_path / "config" / "vigilar.toml"


def test_a_missing_file_names_itself_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_config(tmp_path / "none.toml")
    (problem,) = caught.value.problems
    assert problem.path == str(tmp_path / "none.toml")
    assert "VIGILAR_CONFIG" in problem.fix


def test_a_mistake_in_toml_is_told_with_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "vigilar.toml"
    path.write_text("[web]\nport = = 3\n")
    with pytest.raises(ConfigurationError, match=r"vigilar\.toml.*line 2, column 8"):
        read_config(path)


def test_bytes_that_are_no_text_are_told_with_their_line() -> None:
    with pytest.raises(ConfigurationError, match="line 3"):
        parse_config(b'[web]\n# ok\nname = "\xff"\n')


def test_absurd_nesting_is_an_error_not_a_crash() -> None:
    with pytest.raises(ConfigurationError):
        parse_config(b"a = " + b"[" * 100_000)


def test_the_mode_of_the_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "vigilar.toml"
    path.write_text("")
    path.chmod(0o640)
    assert read_config(path).mode == 0o640


@pytest.mark.parametrize(
    ("mode", "inline", "refused"),
    [
        (0o640, ["mqtt.password"], False),
        (0o644, [], False),
        (0o644, ["mqtt.password"], True),
        (0o646, [], True),
        (0o600, ["mqtt.password"], False),
    ],
)
def test_secrets_in_a_file_that_everybody_reads_are_refused(
    mode: int, inline: list[str], refused: bool
) -> None:
    problems = check_permissions(ConfigFile(Path("/etc/v.toml"), {}, mode), inline)
    assert bool(problems) is refused
    if inline and refused:
        assert "mqtt.password" in problems[0].message


def test_a_command_gets_the_core_sections_without_naming_them(tmp_path: Path) -> None:
    path = tmp_path / "vigilar.toml"
    path.write_text('[system]\nname = "Home"\n[unknown]\nto_this = "command"\n')
    assert load_settings(path).section(System).name == "Home"
