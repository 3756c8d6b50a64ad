"""What is known of a plugin without importing it: the answer of its probe."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vigilar_core.config.schema import SectionSchema
from vigilar_core.context import Service
from vigilar_core.errors import Problem
from vigilar_core.events import EventKind, Severity

#: Hooks that a plugin's own worker calls for it, detached from any camera's worker.
DETACHED_HOOKS: tuple[str, ...] = ("on_frame", "on_motion", "on_event", "notify", "poll")


class PluginState(enum.StrEnum):
    """What has become of an installed plugin."""

    INSTALLED = "installed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    RUNNING = "running"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class PluginReport:
    """One installed plugin.

    :param name: the name of its entry point: ``ups-nut``
    :param distribution: the package it came with: ``vigilar-ups-nut``; both, if two claim the name
    :param version: of the distribution
    :param state: ``enabled`` once its probe answered, ``installed`` while nobody asked it
    :param reason: why it is disabled or broken
    :param summary: one line of the distribution
    :param first_party: whether it is part of Vigilar itself
    :param hooks: hooks it implements
    :param sections: what it adds to the configuration
    :param services: what the supervisor shall run for it, empty while ``problems`` is not
    :param event_kinds: what it publishes
    :param inline: whether it attaches to cameras (implements ``camera_attach``)
    :param has_tables: whether it owns tables
    :param has_pages: whether it adds pages to the web interface
    :param detached: those of :data:`DETACHED_HOOKS` that it implements
    :param preload: modules worth importing once before workers are forked
    :param problems: what is wrong with its part of the configuration
    :param remarks: what its author should look at
    :param import_s: how long importing it took, seconds
    """

    name: str
    distribution: str
    version: str = ""
    state: PluginState = PluginState.INSTALLED
    reason: str = ""
    summary: str = ""
    first_party: bool = False
    hooks: tuple[str, ...] = ()
    sections: tuple[SectionSchema, ...] = ()
    services: tuple[Service, ...] = ()
    event_kinds: tuple[EventKind, ...] = ()
    inline: bool = False
    has_tables: bool = False
    has_pages: bool = False
    detached: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()
    import_s: float = 0.0

    @property
    def usable(self) -> bool:
        """Whether its services may be started."""
        return self.state in (PluginState.ENABLED, PluginState.RUNNING) and not self.problems

    def broken(self, reason: str) -> PluginReport:
        """The same plugin, found to be of no use: nothing it declared counts."""
        return dataclasses.replace(
            self,
            state=PluginState.BROKEN,
            reason=reason,
            sections=(),
            services=(),
            event_kinds=(),
            detached=(),
            preload=(),
            problems=(),
            inline=False,
            has_tables=False,
            has_pages=False,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``json.dumps``."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PluginReport:
        """The report that :meth:`to_json` was given.

        :raises KeyError, TypeError, ValueError: it is not one
        """
        values = dict(data)
        values["state"] = PluginState(values["state"])
        values["sections"] = tuple(SectionSchema(**each) for each in values["sections"])
        values["services"] = tuple(Service(**_hashable(each)) for each in values["services"])
        values["event_kinds"] = tuple(
            EventKind(**{**each, "severity": Severity(each["severity"])})
            for each in values["event_kinds"]
        )
        values["problems"] = tuple(Problem(**each) for each in values["problems"])
        for key in ("hooks", "detached", "preload", "remarks"):
            values[key] = tuple(values[key])
        return cls(**values)


def _hashable(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
