"""Finding, reading and guarding the configuration file."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vigilar_core.config.loaded import LoadedSettings, build_settings
from vigilar_core.config.section import ConfigSection
from vigilar_core.errors import ConfigurationError, Problem

#: Name of the environment variable that names the file.
VARIABLE = "VIGILAR_CONFIG"
DEFAULT_FILE = Path("config/vigilar.toml")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A configuration file as it was read.

    :param path: absolute
    :param tables: what TOML says, references to secrets unresolved
    :param mode: permission bits
    """

    path: Path
    tables: Mapping[str, Any]
    mode: int = 0o640


def find_config(option: str | Path | None = None) -> Path:
    """The file to use: the option, else ``$VIGILAR_CONFIG``, else ``config/vigilar.toml``."""
    return Path(option or os.environ.get(VARIABLE) or DEFAULT_FILE).absolute()


def read_config(path: Path) -> ConfigFile:
    """Read and parse a file; nothing in it is checked yet.

    :raises ConfigurationError: it cannot be read, or is no TOML: names line and column
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read()
    except OSError as error:
        fix = f"name another with --config or ${VARIABLE}"
        raise ConfigurationError(
            [Problem(str(path), f"cannot be read: {error.strerror}", fix)]
        ) from error
    return ConfigFile(path, parse_config(content, str(path)), mode)


def parse_config(content: bytes, name: str = "configuration") -> Mapping[str, Any]:
    """The tables of a TOML text.

    :param name: what to call the text in a problem
    :raises ConfigurationError: it is no TOML or no UTF-8
    """
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError([Problem(name, f"line {line} is not UTF-8 text")]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([Problem(name, f"is not TOML: {error}")]) from error
    except RecursionError as error:
        raise ConfigurationError([Problem(name, "is nested too deeply")]) from error


def check_permissions(file: ConfigFile, inline_secrets: Sequence[str]) -> list[Problem]:
    """What is wrong with who may read and write the file.

    :param inline_secrets: paths of the secrets that stand in the file itself
    """
    problems = []
    if file.mode & stat.S_IWOTH:
        problems.append(
            Problem(str(file.path), "anybody on this machine may change it", "chmod o-rwx")
        )
    if file.mode & stat.S_IROTH and inline_secrets:
        problems.append(
            Problem(
                str(file.path),
                f"anybody on this machine may read the secrets in it: {', '.join(inline_secrets)}",
                'chmod 0640, or write { secret = "name" } instead',
            )
        )
    return problems


def load_settings(
    path: str | Path | None = None, sections: Iterable[ConfigSection] = ()
) -> LoadedSettings:
    """The configuration for a command: the core's sections and those the command needs.

    :param path: the command's ``--config``
    :raises ConfigurationError: carries every problem found
    """
    return build_settings(read_config(find_config(path)).tables, sections)
