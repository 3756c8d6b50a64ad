"""The checked configuration as a process holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from vigilar_core.config.core import SECTIONS, System
from vigilar_core.config.references import SecretFiles
from vigilar_core.config.section import ConfigSection, SettingsModel
from vigilar_core.config.tables import Tables, item_id, items_with_paths, table_at
from vigilar_core.config.validation import validate
from vigilar_core.errors import ConfigurationError, Problem

Model = TypeVar("Model", bound=SettingsModel)


@dataclass(frozen=True)
class LoadedSettings:
    """Implements :class:`~vigilar_core.config.section.Settings`.

    :param sections: one instance of each single section's model
    :param many: path → id → instances, in file order, also of disabled items
    :param present: paths of single sections that the file has
    """

    sections: Mapping[type[SettingsModel], SettingsModel]
    many: Mapping[str, Mapping[str, Mapping[type[SettingsModel], SettingsModel]]]
    present: frozenset[str] = frozenset()
    disabled: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def section(self, model: type[Model]) -> Model:
        return _as(model, self.sections[model])

    def items(self, path: str) -> Sequence[str]:
        disabled = self.disabled.get(path, frozenset())
        return tuple(each for each in self.many.get(path, ()) if each not in disabled)

    def item(self, path: str, id: str, model: type[Model]) -> Model:
        return _as(model, self.many[path][id][model])

    def all_items(self, path: str) -> Sequence[str]:
        """Ids of an array of tables in file order, disabled ones too."""
        return tuple(self.many.get(path, ()))

    def has(self, path: str) -> bool:
        """Whether the file has this table; ``[mqtt]`` means something by being there."""
        return path in self.present


def secret_files(tables: Tables) -> SecretFiles:
    """Where the secrets of a configuration lie, known before anything is checked."""
    found = (table_at(tables, "system") or {}).get("secrets_dir")
    default: Path = System.model_fields["secrets_dir"].default
    return SecretFiles.of(Path(found) if isinstance(found, str) and found else default)


def build_settings(
    tables: Tables, sections: Iterable[ConfigSection] = (), *, secrets: SecretFiles | None = None
) -> LoadedSettings:
    """Check the core's sections and ``sections``; keys of anybody else are left alone.

    :param tables: the parsed file
    :raises ConfigurationError: carries every problem found
    """
    settings, problems = try_settings(tables, (*SECTIONS, *sections), secrets=secrets)
    if problems:
        raise ConfigurationError(problems)
    return settings


def try_settings(
    tables: Tables, sections: Iterable[ConfigSection], *, secrets: SecretFiles | None = None
) -> tuple[LoadedSettings, list[Problem]]:
    """As :func:`build_settings`, with what is right and what is wrong side by side."""
    secrets = secrets or secret_files(tables)
    problems: list[Problem] = []
    single: dict[type[SettingsModel], SettingsModel] = {}
    many: dict[str, dict[str, dict[type[SettingsModel], SettingsModel]]] = {}
    present: set[str] = set()
    for section in sections:
        if section.many:
            problems += _read_items(section, tables, secrets, many.setdefault(section.path, {}))
            continue
        table = table_at(tables, section.path)
        if table is not None:
            present.add(section.path)
        model, found = validate(section.model, table or {}, section.path, secrets)
        problems += found
        if model is not None:
            single[section.model] = model
    disabled = {path: _disabled(tables, path) for path in many}
    return LoadedSettings(single, many, frozenset(present), disabled), problems


def _read_items(
    section: ConfigSection,
    tables: Tables,
    secrets: SecretFiles,
    into: dict[str, dict[type[SettingsModel], SettingsModel]],
) -> list[Problem]:
    problems: list[Problem] = []
    for path, item in items_with_paths(tables, section.path):
        model, found = validate(section.model, item, path, secrets)
        problems += found
        identity = item_id(item)
        if model is not None and identity is not None:
            into.setdefault(identity, {})[section.model] = model
    return problems


def _disabled(tables: Tables, path: str) -> frozenset[str]:
    return frozenset(
        identity
        for _, item in items_with_paths(tables, path)
        if item.get("enabled") is False and (identity := item_id(item))
    )


def _as(model: type[Model], instance: Any) -> Model:
    assert isinstance(instance, model)
    return instance
