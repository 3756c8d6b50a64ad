"""The boot message: all that a worker is told, plain values that travel as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vigilar_core.context import Service
from vigilar_core.events import EventKind, Severity

#: Services of the core, which no plugin stands behind.
CORE = "core"
BROKER = "broker"
LEDGER = "ledger"


@dataclass(frozen=True, slots=True)
class Boot:
    """What a worker needs to begin.

    :param worker: name of the process: that of its service, or of its group
    :param services: what it runs, each with its own loop
    :param slots: heartbeat slot of each service, same order
    :param beats: path of the heartbeat file
    :param hooks: every usable plugin of the installation with the hooks it implements
    :param distributions: the package that each of them came with
    :param targets: where each of them is, ``module:attribute``, so that no worker has to search
        the metadata of every installed package
    :param kinds: all event kinds of the installation
    :param configuration: the file's tables, references to secrets unresolved
    :param log_level: of this process
    :param trace_hooks: whether each call of a hook is logged
    """

    worker: str
    services: tuple[Service, ...]
    slots: tuple[int, ...]
    beats: str
    hooks: Mapping[str, tuple[str, ...]]
    distributions: Mapping[str, str]
    targets: Mapping[str, str]
    kinds: tuple[EventKind, ...]
    configuration: Mapping[str, Any]
    log_level: str
    trace_hooks: bool

    def to_json(self) -> dict[str, Any]:
        """Plain values; dates and times of the configuration become ISO 8601 strings."""
        return {**asdict(self), "configuration": _plain(self.configuration)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Boot:
        values = dict(data)
        values["services"] = tuple(
            Service(**{**each, "preload": tuple(each["preload"]), "hosts": tuple(each["hosts"])})
            for each in data["services"]
        )
        values["kinds"] = tuple(
            EventKind(**{**each, "severity": Severity(each["severity"])}) for each in data["kinds"]
        )
        values["hooks"] = {plugin: tuple(hooks) for plugin, hooks in data["hooks"].items()}
        values["slots"] = tuple(data["slots"])
        return cls(**values)

    def plugins_with(self, hook: str) -> tuple[str, ...]:
        """Names of the usable plugins that implement a hook, sorted."""
        return tuple(sorted(plugin for plugin, hooks in self.hooks.items() if hook in hooks))

    def inline_plugins(self) -> tuple[str, ...]:
        """Plugins that attach to the cameras of this process."""
        inline = any(service.inline for service in self.services)
        return self.plugins_with("camera_attach") if inline else ()

    def own_plugins(self) -> tuple[str, ...]:
        """Plugins whose services run in this process."""
        return tuple(sorted({service.plugin for service in self.services} - {CORE}))

    def guests(self) -> tuple[str, ...]:
        """Plugins that other services of this process call: inline, hosted, or for their tables."""
        found = {*self.inline_plugins()}
        for service in self.services:
            for hook in service.hosts:
                found |= {*self.plugins_with(hook)}
        if self.runs(LEDGER):
            found |= {*self.plugins_with("register_tables")}
        return tuple(sorted(found - {*self.own_plugins()}))

    def plugins_to_load(self) -> tuple[str, ...]:
        """Plugins that this process imports; no others."""
        return tuple(sorted({*self.own_plugins(), *self.guests()}))

    def runs(self, service: str) -> bool:
        """Whether a service of this name runs here."""
        return any(each.name == service for each in self.services)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
