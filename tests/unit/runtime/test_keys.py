from __future__ import annotations

from pathlib import Path

import pytest

from vigilar_core.config.core import Storage, System
from vigilar_core.errors import NotReadyError
from vigilar_core.runtime.keys import storage_key
from vigilar_core.testing import FakeSettings

KEY = bytes(range(32))


def settings(folder: Path) -> FakeSettings:
    return FakeSettings([System(secrets_dir=folder), Storage(key_file=folder / "my.key")])


def put(path: Path, content: bytes, mode: int = 0o600) -> None:
    path.write_bytes(content)
    path.chmod(mode)


def test_the_key_is_the_files_32_bytes(tmp_path: Path) -> None:
    put(tmp_path / "my.key", KEY)
    assert storage_key(settings(tmp_path)) == KEY


def test_the_credential_of_the_service_manager_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "credentials").mkdir()
    put(tmp_path / "credentials" / "storage.key", KEY[::-1])
    put(tmp_path / "my.key", KEY)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert storage_key(settings(tmp_path)) == KEY[::-1]


def test_without_a_key_the_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match=r"my\.key"):
        storage_key(settings(tmp_path))


def test_a_key_of_another_size_is_refused_and_not_shown(tmp_path: Path) -> None:
    put(tmp_path / "my.key", b"short-and-secret")
    with pytest.raises(NotReadyError, match="16 bytes instead of 32") as caught:
        storage_key(settings(tmp_path))
    assert "short-and-secret" not in str(caught.value)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "my.key", KEY, 0o644)
    with pytest.raises(NotReadyError, match="open to others"):
        storage_key(settings(tmp_path))
