"""``{ secret = "name" }``: strings that stand in a file of their own.

Under systemd the file is a credential of the unit (``LoadCredential=``, see systemd.exec(5)),
found in ``$CREDENTIALS_DIRECTORY``; otherwise it lies in the secrets directory.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vigilar_core.errors import Problem

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_LARGEST = 64 * 1024
_FIX = "mode 0640 and the group of the service, or 0600 and its user"


class SecretUnavailableError(ValueError):
    """A secret cannot be read; says which file and why, never what is in it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class SecretFiles:
    """The folders that secrets are read from.

    :param secrets_dir: where secrets lie outside systemd
    :param credentials_dir: systemd's folder for this unit, looked into first
    """

    secrets_dir: Path
    credentials_dir: Path | None = None

    @classmethod
    def of(cls, secrets_dir: Path) -> SecretFiles:
        """The folders of this process."""
        credentials = os.environ.get("CREDENTIALS_DIRECTORY")
        return cls(secrets_dir, Path(credentials) if credentials else None)

    def read_text(self, name: str) -> str:
        """A secret string: UTF-8, one newline at its end is dropped.

        :raises SecretUnavailableError: not there, not private, too large, or not text
        """
        try:
            return self.read_bytes(name).decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise SecretUnavailableError(f"secret {name!r} is not UTF-8 text") from None

    def read_bytes(self, name: str) -> bytes:
        """The content of a secret's file as it is, 64 KiB at most.

        :raises SecretUnavailableError: not there, not private, or too large
        """
        path = self._find(name)
        try:
            # Without waiting: a FIFO of that name must not stop the start.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise SecretUnavailableError(
                f"secret {name!r} cannot be read from {path}: {error.strerror}",
                f"create the file with {_FIX}",
            ) from error
        try:
            _check_private(os.fstat(descriptor), path)
            content = os.read(descriptor, _LARGEST + 1)
        finally:
            os.close(descriptor)
        if len(content) > _LARGEST:
            raise SecretUnavailableError(f"{path} is larger than {_LARGEST} bytes: not a secret")
        return content

    def _find(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise SecretUnavailableError(
                f"{name[:80]!r} is no name of a secret",
                "letters, digits, '.', '_' and '-' only, no folder",
            )
        if self.credentials_dir and (self.credentials_dir / name).exists():
            return self.credentials_dir / name
        return self.secrets_dir / name


def _check_private(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SecretUnavailableError(f"{path} is not an ordinary file")
    if found.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        mode = stat.S_IMODE(found.st_mode)
        raise SecretUnavailableError(
            f"{path} is open to others (mode {mode:04o})", f"give it {_FIX}"
        )


def is_reference(value: object) -> bool:
    """Whether a value of the file stands for a secret kept elsewhere."""
    return isinstance(value, Mapping) and set(value) == {"secret"}


def resolve(value: Any, files: SecretFiles, path: str, problems: list[Problem]) -> Any:
    """A value with every reference in it replaced by the secret.

    :param path: what to call the value in a problem
    :param problems: gets what could not be read; the reference then stays as it is
    """
    if is_reference(value):
        name = value["secret"]
        if not isinstance(name, str):
            problems.append(Problem(path, "the name of a secret must be a string"))
            return value
        try:
            return files.read_text(name)
        except SecretUnavailableError as error:
            problems.append(Problem(path, str(error), error.fix))
            return value
    if isinstance(value, Mapping):
        return {key: resolve(each, files, f"{path}.{key}", problems) for key, each in value.items()}
    if isinstance(value, list):
        return [
            resolve(each, files, f"{path}[{index}]", problems) for index, each in enumerate(value)
        ]
    return value
