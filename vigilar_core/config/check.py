"""Does a file fit what the core and the installed plugins declared? Pure; all answers at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vigilar_core.bus.topics import ID_PATTERN
from vigilar_core.config import catalogue
from vigilar_core.config.catalogue import FIRST_PARTY
from vigilar_core.config.references import is_reference
from vigilar_core.config.schema import Schema, SectionSchema, is_secret, walk
from vigilar_core.config.secret import redact_url
from vigilar_core.config.tables import (
    Tables,
    child,
    item_id,
    item_path,
    items_with_paths,
    table_at,
)
from vigilar_core.config.validation import nearest
from vigilar_core.errors import Problem

_ID = re.compile(ID_PATTERN)
_ELSEWHERE = 'write { secret = "name" } and put it into the secrets directory'


@dataclass(frozen=True, slots=True)
class Silent:
    """An installed plugin whose declarations are not known.

    :param reason: why: ``disabled``, or what is broken
    """

    plugin: str
    distribution: str
    reason: str


@dataclass
class Findings:
    """What a check found.

    :param problems: the configuration cannot be used
    :param warnings: it can, but somebody should look
    :param inline_secrets: paths of secrets that stand in the file itself
    """

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    inline_secrets: list[str] = field(default_factory=list)


def check_tables(
    tables: Tables,
    sections: Iterable[SectionSchema],
    silent: Iterable[Silent] = (),
    *,
    asked: Iterable[str] = (),
) -> Findings:
    """Compare a file's keys and shapes with all declarations; values are their owners' business.

    :param tables: the parsed file
    :param sections: every contribution of the core and of the enabled plugins
    :param silent: installed plugins that could not be asked
    :param asked: distributions of those that were asked: what they do not declare, they lack
    """
    check = _Check(tables, tuple(sections), tuple(silent), frozenset(asked))
    check.table("", "", tables)
    check.ids()
    check.marked_keys()
    return check.findings


class _Check:
    def __init__(
        self,
        tables: Tables,
        sections: tuple[SectionSchema, ...],
        silent: tuple[Silent, ...],
        asked: frozenset[str],
    ) -> None:
        self.findings = Findings()
        self._tables = tables
        self._sections = sections
        self._silent = silent
        self._asked = asked
        self._keys: dict[str, set[str]] = {}
        self._many: dict[str, bool] = {}
        for section in sections:
            self._keys.setdefault(section.path, set()).update(section.keys)
            self._many[section.path] = section.many

    def table(self, path: str, shown: str, table: Tables) -> None:
        """Look at each key of one table.

        :param path: the section, for looking it up
        :param shown: what to call it: with the item's id, where it is one of an array
        """
        subsections = self._subsections(path)
        for key, value in table.items():
            if key in self._keys.get(path, ()):
                continue
            if key in subsections:
                self._section(child(path, key), child(shown, key), value)
            else:
                self._unknown(path, key, value, child(shown, key))

    def ids(self) -> None:
        """Items of an array of tables are told apart by their ids."""
        for path in (path for path, many in self._many.items() if many):
            seen: dict[str, int] = {}
            for index, (shown, item) in enumerate(items_with_paths(self._tables, path)):
                identity = item_id(item)
                if identity is None:
                    self._problem(f"{shown}.id", "is required, as a string")
                elif not _ID.fullmatch(identity):
                    fix = "letters, digits, '_' and '-' only, 64 at most"
                    self._problem(f"{path}[{index}].id", f"{identity[:80]!r} is not an id", fix)
                elif (first := seen.setdefault(identity, index)) != index:
                    message = f"{identity!r} is also the id of {path}[{first}]"
                    self._problem(f"{path}[{index}].id", message, "give each its own")

    def marked_keys(self) -> None:
        """Secrets that stand in the file, and keys that will go."""
        for section in self._sections:
            for path, value, schema in _values(self._tables, section):
                if _is_inline_secret(value, schema):
                    self.findings.inline_secrets.append(path)
                    self._warn(path, "a secret stands in the file itself", _ELSEWHERE)
                if advice := schema.get("x-deprecated"):
                    self._warn(path, "is deprecated and has no effect", str(advice))

    def _section(self, path: str, shown: str, value: Any) -> None:
        many = self._many.get(path)
        if isinstance(value, Mapping):
            inner = self._subsections(path)
            if many and not (value and value.keys() <= inner):
                self._problem(shown, "is a table, several are expected", f"write [[{path}]]")
            else:
                self.table(path, shown, value)
        elif isinstance(value, list) and many and all(isinstance(each, Mapping) for each in value):
            for index, item in enumerate(value):
                self.table(path, item_path(path, index, item), item)
        elif isinstance(value, list) and not many:
            self._problem(shown, "is an array, one table is expected", f"write [{path}]")
        else:
            brackets = f"[[{path}]]" if many else f"[{path}]"
            self._problem(shown, "is a value, a table is expected", f"write {brackets}")

    def _subsections(self, path: str) -> set[str]:
        prefix = f"{path}." if path else ""
        return {
            known.removeprefix(prefix).split(".")[0]
            for known in self._many
            if known.startswith(prefix) and known != path
        }

    def _unknown(self, path: str, key: str, value: Any, shown: str) -> None:
        """A key that nobody declared: whose is it, or what was meant?"""
        if isinstance(value, Mapping) and catalogue.leads_on(child(path, key)):
            return self.table(child(path, key), shown, value)
        owner = catalogue.owner_of(path, key)
        for plugin in self._silent:
            if plugin.distribution == owner:
                return self._warn(shown, f"not used: plugin {plugin.plugin!r} is {plugin.reason}")
        if owner is not None and owner not in self._asked:
            # The sample file shows the sections of all plugins, empty.
            tell = self._warn if value == {} else self._problem
            fix = f"pip install {owner}, or take it out"
            return tell(shown, f"belongs to {owner}, which is not installed", fix)
        if (guess := self._guess(path, key)) is not None:
            what = "unknown key" if path else "unknown section"
            return self._problem(shown, what, f"did you mean {guess!r}?")
        if owner is not None:
            return self._problem(shown, f"not known to the installed {owner}")
        return self._strange(shown, key, "unknown key" if path else "unknown section")

    def _guess(self, path: str, key: str) -> str | None:
        known = self._keys.get(path, set()) | self._subsections(path)
        if path not in self._keys:
            known |= catalogue.keys_of(path)
        return nearest(key, known - {key})

    def _strange(self, shown: str, key: str, what: str) -> None:
        """Not a word of ours: it may be that of a third party's plugin that is off."""
        off = [each.plugin for each in self._silent if each.distribution not in FIRST_PARTY]
        if not off:
            return self._problem(shown, what)
        names = key if key in off else ", ".join(off)
        return self._warn(shown, f"{what}; may belong to a plugin that is off: {names}")

    def _problem(self, path: str, message: str, fix: str = "") -> None:
        self.findings.problems.append(Problem(path, message, fix))

    def _warn(self, path: str, message: str, fix: str = "") -> None:
        self.findings.warnings.append(Problem(path, message, fix))


def _values(tables: Tables, section: SectionSchema) -> Iterator[tuple[str, Any, Schema]]:
    """Each value of the file that a contribution describes."""
    if section.many:
        places = list(items_with_paths(tables, section.path))
    else:
        places = [(section.path, table_at(tables, section.path) or {})]
    for path, table in places:
        for key, schema in section.keys.items():
            if key in table:
                yield from walk(table[key], schema, section.schema, f"{path}.{key}")


def _is_inline_secret(value: Any, schema: Schema) -> bool:
    if is_reference(value) or not isinstance(value, str) or not value:
        return False
    if is_secret(schema):
        return True
    return schema.get("format") == "uri" and _has_password(value)


def _has_password(url: str) -> bool:
    """A user name alone (``postgresql://vigilar@host``) is no secret."""
    if redact_url(url) == url:
        return False
    user = url.partition("://")[2].partition("@")[0]
    return ":" in user
