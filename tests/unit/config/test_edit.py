"""Edits keep what people wrote, and nothing is ever half written."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_core.config import edit
from vigilar_core.config.edit import edit_config, set_value
from vigilar_core.errors import ConfigurationError

SAMPLE = """\
# the house
[web]   # pages
port = 49735  # do not change

# the cameras
[[cameras]]
id = "yard"  # behind

# off
[plugins]
# disabled = []

# the end
"""


def accept(_tables: Mapping[str, Any]) -> None:
    pass


def comments(text: str) -> list[str]:
    return [line[line.index("#") :].rstrip() for line in text.splitlines() if "#" in line]


def test_a_new_key_stands_at_the_end_of_its_section() -> None:
    changed = set_value(SAMPLE, "web", "host", "::1")
    assert changed == SAMPLE.replace(
        "port = 49735  # do not change\n", 'port = 49735  # do not change\nhost = "::1"\n'
    )


def test_a_changed_key_keeps_its_comment() -> None:
    assert "port = 8443  # do not change\n" in set_value(SAMPLE, "web", "port", 8443)


def test_a_section_with_nothing_but_comments_takes_a_key() -> None:
    changed = set_value(SAMPLE, "plugins", "disabled", ["live"])
    assert tomllib.loads(changed)["plugins"] == {"disabled": ["live"]}
    assert changed.index('["live"]') < changed.index("# the end")


_SECTIONS = st.sampled_from(["web", "plugins", "security", "alerts.email", "alerts", "new"])
_VALUES = st.integers() | st.booleans() | st.text(max_size=10) | st.lists(st.text(max_size=5))


@given(
    edits=st.lists(st.tuples(_SECTIONS, st.sampled_from(["a", "port", "b"]), _VALUES), max_size=6)
)
def test_any_row_of_edits_changes_these_keys_and_no_comment(
    edits: list[tuple[str, str, Any]],
) -> None:
    text, expected = SAMPLE, tomllib.loads(SAMPLE)
    for section, key, value in edits:
        text = set_value(text, section, key, value)
        table = expected
        for name in section.split("."):
            table = table.setdefault(name, {})
        table[key] = value
    assert tomllib.loads(text) == expected
    assert [each for each in comments(text) if each in comments(SAMPLE)] == comments(SAMPLE)


def test_a_key_below_something_that_is_no_table_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="is not a table"):
        set_value(SAMPLE, "cameras", "a", 1)


def test_the_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "vigilar.toml"
    path.write_text(SAMPLE)
    path.chmod(0o640)
    edit_config(path, lambda text: set_value(text, "web", "port", 1), accept)
    assert path.stat().st_mode & 0o7777 == 0o640
    assert tomllib.loads(path.read_text())["web"]["port"] == 1
    assert os.listdir(tmp_path) == ["vigilar.toml"]


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text(SAMPLE)
    link = tmp_path / "vigilar.toml"
    link.symlink_to("real.toml")
    edit_config(link, lambda text: set_value(text, "web", "port", 1), accept)
    assert link.is_symlink()
    assert "port = 1 " in (tmp_path / "real.toml").read_text()


def test_a_result_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "vigilar.toml"
    path.write_text(SAMPLE)
    before = path.stat()

    def refuse(tables: Mapping[str, Any]) -> None:
        assert tables["web"]["port"] == 1
        raise ConfigurationError("no")

    with pytest.raises(ConfigurationError, match="no"):
        edit_config(path, lambda text: set_value(text, "web", "port", 1), refuse)
    assert path.read_text() == SAMPLE
    assert path.stat().st_ino == before.st_ino


def test_a_change_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vigilar.toml"
    path.write_text(SAMPLE)
    with pytest.raises(ConfigurationError, match="is not TOML"):
        edit_config(path, lambda text: text + "[", accept)
    assert path.read_text() == SAMPLE


def test_an_edit_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "vigilar.toml"
    path.write_text(SAMPLE)
    inode = path.stat().st_ino
    edit_config(path, lambda text: text, accept)
    assert path.stat().st_ino == inode


@pytest.mark.parametrize("step", ["fsync", "fchmod"])
def test_a_failure_while_writing_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "vigilar.toml"
    path.write_text(SAMPLE)

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(edit.os, step, full)
    with pytest.raises(ConfigurationError, match="No space left"):
        edit_config(path, lambda text: set_value(text, "web", "port", 1), accept)
    assert path.read_text() == SAMPLE
    assert os.listdir(tmp_path) == ["vigilar.toml"]
