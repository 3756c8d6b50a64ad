"""The starting project of a third party's plugin."""

from __future__ import annotations

import importlib.resources
import re
from importlib.resources.abc import Traversable
from pathlib import Path

from vigilar_core import __version__
from vigilar_core.config.catalogue import FIRST_PARTY, plugin_name
from vigilar_core.errors import VigilarError

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SUFFIX = ".txt"


def write_project(name: str, folder: Path) -> Path:
    """Write a project that passes its own tests and ``vigilar plugins check``.

    :param name: the plugin's name: lower case, words joined by ``-``
    :param folder: where the project's folder ``vigilar-NAME`` is made
    :returns: the project's folder
    :raises VigilarError: the name is not allowed or taken, or the folder is there already
    """
    if not _NAME.fullmatch(name) or len(name) > 40:
        raise VigilarError(
            f"{name!r} is no name of a plugin: lower-case letters and digits, words joined by '-'"
        )
    if name in map(plugin_name, FIRST_PARTY):
        raise VigilarError(f"{name!r} is the name of a plugin of Vigilar itself; choose another")
    project = folder / f"vigilar-{name}"
    try:
        project.mkdir(parents=True)
    except FileExistsError:
        raise VigilarError(f"{project} is there already; nothing was written") from None
    words = _words(name)
    template = importlib.resources.files("vigilar_core.plugins") / "template"
    _copy(template, project, words)
    return project


def _words(name: str) -> dict[str, str]:
    return {
        "name": name,
        "distribution": f"vigilar-{name}",
        "package": f"vigilar_{name.replace('-', '_')}",
        "section": name.replace("-", "_"),
        "class": "".join(word.capitalize() for word in name.split("-")),
        "vigilar": __version__,
    }


def _copy(source: Traversable, target: Path, words: dict[str, str]) -> None:
    for entry in source.iterdir():
        name = entry.name.removesuffix(_SUFFIX)
        if entry.is_dir():
            made = target / (words["package"] if name == "package" else name)
            made.mkdir()
            _copy(entry, made, words)
        elif entry.name.endswith(_SUFFIX):
            (target / name).write_text(_fill(entry.read_text(), words))


def _fill(text: str, words: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: words[match[1]], text)
