"""The bus secret: made once, whoever asks first."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

import pytest

from vigilar_core.bus.secret import FILE_NAME, bus_secret
from vigilar_core.errors import ConfigurationError


def test_it_is_made_for_its_owner_only_and_stays(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    first = bus_secret(folder)
    assert len(first) == 32
    assert bus_secret(folder) == first
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_processes_that_ask_at_once_get_the_same(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(8) as pool:
        assert len(set(pool.map(bus_secret, [tmp_path / "secrets"] * 64))) == 1


def test_a_credential_of_systemd_comes_first(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"c" * 32)
    assert bus_secret(tmp_path / "secrets", tmp_path) == b"c" * 32


def test_a_file_of_another_size_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="5 bytes instead of 32"):
        bus_secret(tmp_path)
