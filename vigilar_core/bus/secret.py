"""The installation's bus secret: 32 random bytes from which the signing key is derived."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from vigilar_core.errors import ConfigurationError, Problem

#: Name of the file in the secrets directory and of the systemd credential.
FILE_NAME: Final = "bus.key"
SIZE_BYTES: Final = 32


def bus_secret(secrets_dir: Path, credentials_dir: Path | None = None) -> bytes:
    """Read the secret; make it when there is none yet.

    Several processes may ask at once: all get the bytes of the one that was first.

    :param secrets_dir: where the file lives, made with mode 0700 if missing
    :param credentials_dir: ``$CREDENTIALS_DIRECTORY`` of systemd, looked at first
    :raises ConfigurationError: it can neither be read nor made, or has the wrong size
    """
    if credentials_dir is not None and (credentials_dir / FILE_NAME).is_file():
        return _read(credentials_dir / FILE_NAME)
    path = secrets_dir / FILE_NAME
    try:
        if not path.exists():
            _create(path)
        return _read(path)
    except OSError as error:
        raise _problem(
            f"cannot be read or made: {error.strerror}",
            f"let the service's user write {secrets_dir}, or put {SIZE_BYTES} random bytes there",
            path,
        ) from None


def _create(path: Path) -> None:
    """Write aside, then link: a name that exists always has all its bytes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{FILE_NAME}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SIZE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)
        except FileExistsError:
            pass  # another process was first; its bytes count
    finally:
        aside.unlink()


def _read(path: Path) -> bytes:
    data = path.read_bytes()
    if len(data) != SIZE_BYTES:
        raise _problem(
            f"has {len(data)} bytes instead of {SIZE_BYTES}",
            "remove it while Vigilar is stopped; a new one is made at the next start",
            path,
        )
    return data


def _problem(message: str, fix: str, path: Path) -> ConfigurationError:
    return ConfigurationError([Problem(f"secrets.{FILE_NAME}", f"{path} {message}", fix)])
