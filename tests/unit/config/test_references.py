"""Secrets in files of their own: found in the right place, refused when others can read them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_core.config.references import (
    SecretFiles,
    SecretUnavailableError,
    is_reference,
    resolve,
)
from vigilar_core.errors import Problem


def put(folder: Path, name: str, content: bytes, mode: int = 0o600) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_private_file_is_read(tmp_path: Path, mode: int) -> None:
    put(tmp_path, "mqtt", b"swordfish\n", mode)
    assert SecretFiles(tmp_path).read_text("mqtt") == "swordfish"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o601, 0o660, 0o777])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    put(tmp_path, "mqtt", b"swordfish", mode)
    with pytest.raises(SecretUnavailableError, match=f"mode {mode:04o}") as caught:
        SecretFiles(tmp_path).read_text("mqtt")
    assert "swordfish" not in str(caught.value)


def test_only_the_last_newline_is_dropped(tmp_path: Path) -> None:
    put(tmp_path, "a", b" two\nlines \r\n")
    assert SecretFiles(tmp_path).read_text("a") == " two\nlines "
    assert SecretFiles(tmp_path).read_bytes("a") == b" two\nlines \r\n"


def test_a_credential_of_the_unit_comes_before_the_secrets_directory(tmp_path: Path) -> None:
    put(tmp_path / "secrets", "mqtt", b"old")
    put(tmp_path / "secrets", "smtp", b"mail")
    put(tmp_path / "credentials", "mqtt", b"new", 0o400)
    files = SecretFiles(tmp_path / "secrets", tmp_path / "credentials")
    assert (files.read_text("mqtt"), files.read_text("smtp")) == ("new", "mail")


def test_the_unit_tells_its_credentials_by_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert SecretFiles.of(tmp_path).credentials_dir is None
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/vigilar.service")
    assert SecretFiles.of(tmp_path).credentials_dir == Path("/run/credentials/vigilar.service")


@pytest.mark.parametrize("name", ["../a", "/etc/shadow", "a/b", "", ".", "..", ".hidden", "a\0b"])
def test_a_name_never_leaves_the_folder(tmp_path: Path, name: str) -> None:
    put(tmp_path, "a", b"x")
    with pytest.raises(SecretUnavailableError, match="no name of a secret"):
        SecretFiles(tmp_path / "inner").read_bytes(name)


@given(name=st.text(max_size=40))
def test_whatever_the_name_is_only_files_of_the_folder_are_opened(name: str) -> None:
    files = SecretFiles(Path("/nonexistent/secrets"))
    with pytest.raises(SecretUnavailableError):
        files.read_bytes(name)


def test_what_is_no_ordinary_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(0o700)
    for name in ("pipe", "folder"):
        with pytest.raises(SecretUnavailableError, match="not an ordinary file"):
            SecretFiles(tmp_path).read_bytes(name)


def test_size_and_encoding_are_bounded(tmp_path: Path) -> None:
    put(tmp_path, "large", bytes(64 * 1024 + 1))
    put(tmp_path, "just", bytes(64 * 1024))
    put(tmp_path, "latin", "Schlüssel".encode("latin-1"))
    files = SecretFiles(tmp_path)
    assert len(files.read_bytes("just")) == 64 * 1024
    with pytest.raises(SecretUnavailableError, match="larger than"):
        files.read_bytes("large")
    with pytest.raises(SecretUnavailableError, match="UTF-8"):
        files.read_text("latin")


def test_references_are_found_at_any_depth(tmp_path: Path) -> None:
    put(tmp_path, "one", b"1")
    put(tmp_path, "two", b"2")
    value = {"a": {"secret": "one"}, "b": [{"c": {"secret": "two"}}, 3], "d": "plain"}
    problems: list[Problem] = []
    resolved = resolve(value, SecretFiles(tmp_path), "x", problems)
    assert resolved == {"a": "1", "b": [{"c": "2"}, 3], "d": "plain"}
    assert not problems


def test_what_cannot_be_resolved_names_key_and_file(tmp_path: Path) -> None:
    problems: list[Problem] = []
    resolve({"a": {"secret": "gone"}, "b": {"secret": 5}}, SecretFiles(tmp_path), "x", problems)
    assert [problem.path for problem in problems] == ["x.a", "x.b"]
    assert str(tmp_path / "gone") in problems[0].message
    assert "must be a string" in problems[1].message


@pytest.mark.parametrize("value", [{"secret": "a", "b": 1}, {}, "secret", ["secret"], None])
def test_other_values_are_no_references(value: object) -> None:
    assert not is_reference(value)
