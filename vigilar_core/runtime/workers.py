"""From the plan to processes: which services share one, what each is told, when each is stopped."""

from __future__ import annotations

import enum
import fnmatch
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vigilar_core.config.core import CORE as CORE_OWNER
from vigilar_core.config.core import Runtime, System
from vigilar_core.config.tables import Tables, items_at, table_at
from vigilar_core.context import Service
from vigilar_core.errors import ConfigurationError, Problem
from vigilar_core.events import EventKind
from vigilar_core.plugins.plan import Plan
from vigilar_core.runtime.boot import BROKER, CORE, LEDGER, Boot

#: Hooks that are called in the worker named after the plugin.
_REACTIONS = frozenset({"on_frame", "on_motion", "on_event", "notify"})
#: Sections that tell how processes are arranged, not what they do.
_ARRANGEMENT = frozenset({"runtime", "plugins"})
#: Sections that broker and ledger look at; a new camera must not restart them.
_SEEN_BY_CORE = frozenset({"system", "mqtt", "database"})


class Stage(enum.IntEnum):
    """The order of an orderly end: cameras seal first, the broker carries their last words."""

    CAMERAS = 0
    REST = 1
    LEDGER = 2
    BROKER = 3


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """One process as it shall be.

    :param boot: what it is told; heartbeat slots and file are filled in at its start
    :param preload: modules worth importing before the fork
    :param fingerprint: differs when the process must be restarted
    """

    name: str
    boot: Boot
    stage: Stage
    preload: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line asks for.

    :param only: names of services to run, all when empty
    :param log_level: instead of the configured one
    :param trace_hooks: whether each call of a hook is logged
    """

    only: tuple[str, ...] = ()
    log_level: str = ""
    trace_hooks: bool = False


def plan_workers(
    plan: Plan,
    tables: Tables,
    choice: Choice,
    *,
    broker: bool,
    targets: Mapping[str, str] | None = None,
) -> tuple[WorkerPlan, ...]:
    """The processes of an installation, in order of their start.

    :param tables: the parsed configuration
    :param broker: whether a broker of our own is wanted
    :param targets: plugin → ``module:attribute`` of its entry point
    :raises ConfigurationError: ``--only`` names a service that does not exist
    """
    services = _chosen(_services(plan, broker=broker), choice.only)
    groups = plan.settings.section(Runtime).groups
    found = []
    for name, members in _grouped(services, groups).items():
        boot = replace(_boot(name, members, plan, tables, choice), targets=targets or {})
        found.append(
            WorkerPlan(
                name=name,
                boot=boot,
                stage=_stage(members),
                preload=_preload(boot),
                fingerprint=_fingerprint(boot, plan, tables),
            )
        )
    return tuple(sorted(found, key=lambda each: -each.stage))


def _preload(boot: Boot) -> tuple[str, ...]:
    """What the services name, and the inline plugins, which every camera's process imports."""
    named = [module for service in boot.services for module in service.preload]
    inline = [
        target.partition(":")[0]
        for plugin, target in boot.targets.items()
        if plugin in boot.inline_plugins()
    ]
    return tuple(dict.fromkeys([*named, *inline]))


def _services(plan: Plan, *, broker: bool) -> list[Service]:
    """The core's services, the plugins', and one for each plugin that only reacts."""
    core = [Service(LEDGER, CORE)]
    if broker:
        core.insert(0, Service(BROKER, CORE))
    reacting = []
    for report in plan.reports:
        names = {service.name for service in report.services}
        reacts = bool(_REACTIONS & set(report.detached))
        if report.usable and reacts and names and report.name not in names:
            reacting.append(Service(report.name, report.name))
    return [*core, *plan.services, *reacting]


def _chosen(services: Sequence[Service], only: Sequence[str]) -> list[Service]:
    names = [service.name for service in services]
    if unknown := [name for name in only if name not in names]:
        raise ConfigurationError(
            [
                Problem("--only", f"there is no service {name!r}", f"there are {', '.join(names)}")
                for name in unknown
            ]
        )
    return [service for service in services if not only or service.name in only]


def _grouped(
    services: Iterable[Service], groups: Mapping[str, Sequence[str]]
) -> dict[str, list[Service]]:
    """Services by process: a group takes those its patterns name, each other one is alone."""
    found: dict[str, list[Service]] = {}
    for service in services:
        found.setdefault(_group_of(service.name, groups), []).append(service)
    return found


def _group_of(name: str, groups: Mapping[str, Sequence[str]]) -> str:
    if name in (BROKER, LEDGER):  # they are stopped last, each by itself
        return name
    for group, patterns in groups.items():
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            return f"group:{group}"
    return name


def _boot(
    name: str, services: Sequence[Service], plan: Plan, tables: Tables, choice: Choice
) -> Boot:
    return Boot(
        worker=name,
        services=tuple(
            replace(each, preload=tuple(each.preload), hosts=tuple(each.hosts)) for each in services
        ),
        slots=(),
        beats="",
        hooks={report.name: report.hooks for report in plan.reports if report.usable},
        distributions={
            report.name: report.distribution for report in plan.reports if report.usable
        },
        targets={},
        kinds=plan.event_kinds,
        configuration=tables,
        log_level=choice.log_level or plan.settings.section(System).log_level,
        trace_hooks=choice.trace_hooks,
    )


def _stage(services: Sequence[Service]) -> Stage:
    names = {service.name for service in services}
    if BROKER in names:
        return Stage.BROKER
    if LEDGER in names:
        return Stage.LEDGER
    return Stage.CAMERAS if _has_cameras(services) else Stage.REST


def _fingerprint(boot: Boot, plan: Plan, tables: Tables) -> str:
    """A digest of all that a process can see of the installation, and of nothing else."""
    plugins = set(boot.plugins_to_load())
    seen = _seen(boot, plan, tables)
    told = replace(
        boot,
        configuration=seen,
        hooks={name: hooks for name, hooks in boot.hooks.items() if name in plugins},
        distributions={},
        targets={},
        kinds=_kinds_seen(boot, plan),
    )
    elsewhere = boot.plugins_with("on_frame") if _has_cameras(boot.services) else ()
    text = json.dumps([told.to_json(), elsewhere], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _kinds_seen(boot: Boot, plan: Plan) -> tuple[EventKind, ...]:
    """A camera is not restarted because another plugin publishes something new."""
    if not _has_cameras(boot.services):
        return boot.kinds
    reports = (plan.report(name) for name in boot.plugins_to_load())
    return tuple(kind for report in reports if report for kind in report.event_kinds)


def _has_cameras(services: Sequence[Service]) -> bool:
    return any(service.inline for service in services)


def _seen(boot: Boot, plan: Plan, tables: Tables) -> dict[str, Any]:
    """The keys that the owners of this process declared, by path of their table."""
    own = boot.own_plugins()
    owners = {CORE_OWNER, *(boot.plugins_to_load() if own else ())}
    keys: dict[str, set[str]] = {}
    for section in plan.sections:
        of_core = _SEEN_BY_CORE if not own else None
        if section.owner in owners and (of_core is None or section.path in of_core):
            keys.setdefault(section.path, set()).update(section.keys)
    many = {each.path for each in plan.sections if each.many}
    return {
        path: [_only(item, names) for item in _items(tables, path, boot.services)]
        if path in many
        else _only(table_at(tables, path), names)
        for path, names in keys.items()
        if path not in _ARRANGEMENT
    }


def _only(table: Tables | None, names: set[str]) -> Tables | None:
    """A table without other owners' keys; ``None`` stays what it is: not there."""
    return table and {key: value for key, value in table.items() if key in names}


def _items(tables: Tables, path: str, services: Sequence[Service]) -> list[Any]:
    """The items that concern these services: ``camera:hall`` sees its own, others see all."""
    items = items_at(tables, path)
    ids = {service.name.partition(":")[2] for service in services}
    own = [item for item in items if item.get("id") in ids]
    return own if "" not in ids and len(own) == len(ids) else list(items)
