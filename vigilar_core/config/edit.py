"""Changing the file as a careful person would: comments stay, nothing is half written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Table

from vigilar_core.config.load import ConfigFile, parse_config, read_config
from vigilar_core.errors import ConfigurationError, Problem

#: Raises :class:`ConfigurationError` when a changed configuration cannot be used.
Validator = Callable[[Mapping[str, Any]], None]


def set_value(text: str, section: str, key: str, value: Any) -> str:
    """A TOML text with one key of one section set; everything else keeps its place.

    :param section: dotted name of a single table; made at the end when missing
    :raises ConfigurationError: something else than a table stands there
    """
    document = tomlkit.parse(text)
    table: Any = document
    for name in section.split("."):
        if name not in table:
            table[name] = tomlkit.table()
        table = table[name]
        if not isinstance(table, dict):
            raise ConfigurationError([Problem(section, "is not a table", f"write [{section}]")])
    if isinstance(table, Table) and key not in table:
        _append(table, key, value)
    else:
        table[key] = value
    return tomlkit.dumps(document)


def edit_config(path: Path, change: Callable[[str], str], validate: Validator) -> ConfigFile:
    """Change a file and put the result in its place in one step, if it can be used.

    The file keeps its mode and its owner. A crash leaves the old or the new file, never a part.

    :param change: text → text
    :param validate: called with the tables of the result before anything is written
    :raises ConfigurationError: the old or the new text is wrong, or the folder is not writable
    """
    path = path.resolve()
    old = read_config(path)
    text = path.read_bytes().decode()
    changed = change(text)
    tables = parse_config(changed.encode(), str(path))
    validate(tables)
    if changed != text:
        try:
            replace_file(path, changed.encode())
        except OSError as error:
            raise ConfigurationError(
                [Problem(str(path), f"cannot be written: {error.strerror}", "run it as root")]
            ) from error
    return ConfigFile(path, tables, old.mode)


def replace_file(path: Path, content: bytes) -> None:
    """Put new content in the place of a file, durably, with its mode and owner."""
    status = path.stat()
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, status.st_mode & 0o7777)
            if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _append(table: Table, key: str, value: Any) -> None:
    """Add a key behind the last one, before the comments that lead to the next section."""
    body = table.value.body
    last = next((index for index in reversed(range(len(body))) if body[index][0] is not None), -1)
    following = list(body[last + 1 :])
    for _ in following:
        body.pop()
    table.append(key, value)
    body.extend(following)
