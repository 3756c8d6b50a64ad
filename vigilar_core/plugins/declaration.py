"""Asking one imported plugin what it declares. Runs in the probe, never in the supervisor."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Sequence
from typing import Any, TypeVar

from vigilar_core import hookspecs
from vigilar_core.bus import topics
from vigilar_core.config.core import SECTIONS
from vigilar_core.config.loaded import LoadedSettings, try_settings
from vigilar_core.config.schema import SectionSchema
from vigilar_core.config.section import ConfigSection
from vigilar_core.config.tables import Tables
from vigilar_core.context import Service
from vigilar_core.errors import PluginBrokenError, Problem
from vigilar_core.events import EventCatalogue, EventKind
from vigilar_core.plugins.host import PluginHost
from vigilar_core.plugins.report import DETACHED_HOOKS, PluginReport, PluginState

Declared = TypeVar("Declared")
_LIVE_HOOKS = (*DETACHED_HOOKS, "service_start", "service_run")
_KIND_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TOPIC_LEVEL = re.compile(r"\{[a-z][a-z0-9_]*\}|[a-z0-9][a-z0-9_-]*")
_SECTION_PATH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


def declare(host: PluginHost, report: PluginReport, tables: Tables) -> PluginReport:
    """The report of a plugin that ``host`` has loaded, filled with what it declares.

    :param report: what discovery knows of it
    :param tables: the whole configuration, references to secrets unresolved
    :raises PluginBrokenError: a declaring hook raises or returns something else than it should
    """
    name, hooks = report.name, tuple(host.hooks_of(report.name))
    if not hooks:
        raise PluginBrokenError(name, "it implements no hook: its entry point is the wrong object?")
    sections = _ask(host, name, "register_config", ConfigSection)
    for section in sections:
        _check_section(name, section)
    settings, problems, usable = _settings(tables, sections)
    kinds = _ask(host, name, "register_event_kinds", EventKind)
    _check_kinds(name, kinds)
    services = _services(host, name, hooks, settings) if usable else ()
    return dataclasses.replace(
        report,
        state=PluginState.ENABLED,
        hooks=hooks,
        sections=tuple(_describe(section, name, settings) for section in sections),
        services=services,
        event_kinds=tuple(kinds),
        inline="camera_attach" in hooks,
        has_tables="register_tables" in hooks,
        has_pages="register_blueprint" in hooks,
        detached=tuple(hook for hook in DETACHED_HOOKS if hook in hooks),
        preload=tuple(dict.fromkeys(each for service in services for each in service.preload)),
        problems=tuple(problems),
    )


def forgotten_marks(plugin: object, hooks: Sequence[str]) -> tuple[str, ...]:
    """Functions of a plugin that are named like a hook but not marked as one."""
    known = {
        name for name, value in vars(hookspecs).items() if isinstance(value, types.FunctionType)
    }
    return tuple(
        f"{name} is named like a hook but carries no @hookimpl"
        for name in sorted(known - set(hooks))
        if callable(getattr(plugin, name, None))
    )


def _settings(
    tables: Tables, sections: Sequence[ConfigSection]
) -> tuple[LoadedSettings, list[Problem], bool]:
    """Settings, the plugin's own problems, and whether nothing at all is wrong."""
    _, of_core = try_settings(tables, SECTIONS)
    settings, problems = try_settings(tables, (*SECTIONS, *sections))
    return settings, [each for each in problems if each not in of_core], not problems


def _ask(
    host: PluginHost, plugin: str, hook: str, kind: type[Declared], **arguments: Any
) -> Sequence[Declared]:
    if plugin not in host.implementers(hook):
        return ()
    try:
        found = host.call_one(plugin, hook, **arguments)
    # The plugin's code may raise anything, sys.exit() included: it costs this plugin only.
    except (Exception, SystemExit) as error:
        raise PluginBrokenError(plugin, f"{hook} raised {type(error).__name__}: {error}") from error
    if not isinstance(found, Sequence) or not all(isinstance(each, kind) for each in found):
        raise PluginBrokenError(plugin, f"{hook} must return a sequence of {kind.__name__}")
    return found


def _services(
    host: PluginHost, plugin: str, hooks: Sequence[str], settings: LoadedSettings
) -> tuple[Service, ...]:
    """The declared services; one named after the plugin when it only implements live hooks."""
    if "register_services" in hooks:
        found = _ask(host, plugin, "register_services", Service, settings=settings)
    else:
        found = [Service(plugin)] if any(hook in hooks for hook in _LIVE_HOOKS) else []
    for service in found:
        try:
            topics.service_level(service.name)
        except ValueError as error:
            raise PluginBrokenError(plugin, f"name of a service: {error}") from error
    return tuple(
        dataclasses.replace(
            service, plugin=plugin, preload=tuple(service.preload), hosts=tuple(service.hosts)
        )
        for service in found
    )


def _check_section(plugin: str, section: ConfigSection) -> None:
    if not _SECTION_PATH.fullmatch(section.path):
        raise PluginBrokenError(plugin, f"{section.path!r} is no dotted name of a section")


def _check_kinds(plugin: str, kinds: Sequence[EventKind]) -> None:
    for kind in kinds:
        if not _KIND_NAME.fullmatch(kind.name):
            raise PluginBrokenError(plugin, f"{kind.name!r} is no name of an event kind")
        root, *levels = kind.topic.split("/")
        if root != "vigilar" or not levels or not all(map(_TOPIC_LEVEL.fullmatch, levels)):
            raise PluginBrokenError(plugin, f"{kind.topic!r} is no topic below vigilar/")
    try:
        EventCatalogue.of(kinds)
    except ValueError as error:
        raise PluginBrokenError(plugin, str(error)) from error


def _describe(section: ConfigSection, plugin: str, settings: LoadedSettings) -> SectionSchema:
    schema = SectionSchema.of(section, plugin)
    return dataclasses.replace(schema, values=values_of(section, settings))


def values_of(section: ConfigSection, settings: LoadedSettings) -> dict[str, Any]:
    """A section as it is in effect, secrets masked; empty where it could not be used."""
    if not section.many:
        found = settings.sections.get(section.model)
        return found.model_dump(mode="json") if found is not None else {}
    return {
        identity: models[section.model].model_dump(mode="json")
        for identity, models in settings.many.get(section.path, {}).items()
        if section.model in models
    }
