"""Everything the supervisor needs to know to run, joined from the answers of the probes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vigilar_core.config.check import Silent, check_tables
from vigilar_core.config.core import CORE, SECTIONS, PluginChoice
from vigilar_core.config.load import ConfigFile, check_permissions
from vigilar_core.config.loaded import LoadedSettings, secret_files, try_settings
from vigilar_core.config.schema import SectionSchema
from vigilar_core.config.tables import Tables, table_at
from vigilar_core.config.validation import nearest, validate
from vigilar_core.context import Service
from vigilar_core.errors import ConfigurationError, Problem
from vigilar_core.events import EventKind
from vigilar_core.plugins.builtin import event_kinds as core_event_kinds
from vigilar_core.plugins.declaration import values_of
from vigilar_core.plugins.discovery import choose, installed
from vigilar_core.plugins.probe import probe
from vigilar_core.plugins.report import PluginReport, PluginState


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall run, and what stands in the way.

    :param reports: every installed plugin, in order of names
    :param services: of all usable plugins
    :param event_kinds: of the core and of all usable plugins
    :param sections: of the core and of all usable plugins
    :param problems: the configuration cannot be used until these are gone
    :param warnings: it can, but somebody should look
    :param inline_secrets: paths of secrets that stand in the file itself
    :param settings: the core's own sections; only meaningful without problems
    """

    reports: tuple[PluginReport, ...]
    services: tuple[Service, ...]
    event_kinds: tuple[EventKind, ...]
    sections: tuple[SectionSchema, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    inline_secrets: tuple[str, ...] = ()
    settings: LoadedSettings = field(default_factory=lambda: LoadedSettings({}, {}))

    def report(self, name: str) -> PluginReport | None:
        """The report of one plugin, ``None`` when it is not installed."""
        return next((each for each in self.reports if each.name == name), None)

    def inline_plugins(self) -> tuple[str, ...]:
        """Names of the plugins that attach to cameras."""
        return tuple(each.name for each in self.reports if each.usable and each.inline)

    def require(self) -> Plan:
        """The plan itself.

        :raises ConfigurationError: there are problems; carries all of them
        """
        if self.problems:
            raise ConfigurationError(self.problems)
        return self


def build_plan(tables: Tables, *, third_party: bool = True) -> Plan:
    """Find the installed plugins, ask each in a process of its own, and join the answers.

    :param tables: the parsed file, references to secrets unresolved
    :param third_party: ``False`` leaves out plugins that are not part of Vigilar itself
    """
    choice = _choice(tables)
    chosen = choose(installed(), choice.disabled, third_party=third_party and choice.third_party)
    asked = [each for each in chosen.values() if each.state is PluginState.INSTALLED]
    answers = {each.name: each for each in probe(asked, tables, timeout_s=choice.probe_timeout_s)}
    reports = [answers.get(name, report) for name, report in chosen.items()]
    return join(tables, reports, unknown_names(choice.disabled, chosen))


def plan_file(file: ConfigFile, *, third_party: bool = True) -> Plan:
    """As :func:`build_plan`, and whether the file's permissions fit what is in it."""
    plan = build_plan(file.tables, third_party=third_party)
    guarded = check_permissions(file, plan.inline_secrets)
    return replace(plan, problems=(*plan.problems, *guarded))


def join(tables: Tables, reports: Sequence[PluginReport], warnings: Sequence[Problem] = ()) -> Plan:
    """Join the answers of all plugins. Pure.

    Where two plugins claim the same key, kind of event or service, the one that is part of Vigilar
    keeps it, else the first by name; the other is broken.
    """
    settings, core_problems = try_settings(tables, SECTIONS)
    core = [
        replace(SectionSchema.of(section), values=values_of(section, settings))
        for section in SECTIONS
    ]
    settled = _settle(reports, core)
    sections = [*core, *(section for report in settled for section in report.sections)]
    asked = [each.distribution for each in settled if each.state is PluginState.ENABLED]
    findings = check_tables(tables, sections, _silent(settled), asked=asked)
    problems = [*core_problems, *(each for report in settled for each in report.problems)]
    usable = [report for report in settled if report.usable]
    return Plan(
        reports=tuple(settled),
        services=tuple(service for report in usable for service in report.services),
        event_kinds=(
            *core_event_kinds(),
            *(kind for report in usable for kind in report.event_kinds),
        ),
        sections=tuple(sections),
        problems=_unique([*findings.problems, *problems]),
        warnings=_unique([*findings.warnings, *_broken(settled), *warnings]),
        inline_secrets=tuple(findings.inline_secrets),
        settings=settings,
    )


def unknown_names(disabled: Iterable[str], plugins: Mapping[str, PluginReport]) -> list[Problem]:
    """Warnings for names in ``[plugins] disabled`` that nothing installed has."""
    return [
        Problem(
            "plugins.disabled",
            f"{name!r} is not installed",
            f"did you mean {guess!r}?" if (guess := nearest(name, plugins)) else "",
        )
        for name in disabled
        if name not in plugins
    ]


def _choice(tables: Tables) -> PluginChoice:
    """Which plugins to ask. A wrong section asks all but those it names for sure."""
    table = table_at(tables, "plugins") or {}
    choice, _ = validate(PluginChoice, table, "plugins", secret_files(tables))
    if isinstance(choice, PluginChoice):
        return choice
    listed = table.get("disabled")
    names = [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
    return PluginChoice(disabled=tuple(names))


def _settle(reports: Sequence[PluginReport], core: Sequence[SectionSchema]) -> list[PluginReport]:
    """Break whoever claims what somebody else has already."""
    claims = _Claims(core)
    settled = {
        report.name: claims.take(report)
        for report in sorted(reports, key=lambda each: (not each.first_party, each.name))
    }
    return [settled[report.name] for report in reports]


class _Claims:
    def __init__(self, core: Sequence[SectionSchema]) -> None:
        self._keys = {
            (section.path, key): section.owner for section in core for key in section.keys
        }
        self._many = {section.path: (section.many, section.owner) for section in core}
        self._services: dict[str, str] = {}
        self._kinds: dict[str, str] = {
            claim: CORE for kind in core_event_kinds() for claim in _kind_claims(kind)
        }

    def take(self, report: PluginReport) -> PluginReport:
        """The report, or a broken one; claims nothing for a broken one."""
        if (reason := self._conflict(report)) is not None:
            return report.broken(reason)
        for section in report.sections:
            self._many[section.path] = (section.many, report.name)
            self._keys.update({(section.path, key): report.name for key in section.keys})
        self._services.update({service.name: report.name for service in report.services})
        for kind in report.event_kinds:
            self._kinds.update(dict.fromkeys(_kind_claims(kind), report.name))
        return report

    def _conflict(self, report: PluginReport) -> str | None:
        for section in report.sections:
            many, owner = self._many.get(section.path, (section.many, ""))
            if many != section.many:
                return f"declares {section.path} in another shape than {owner}"
            for key in section.keys:
                if other := self._keys.get((section.path, key)):
                    return f"the key {section.path}.{key} already belongs to {other}"
        for service in report.services:
            if other := self._services.get(service.name):
                return f"the service {service.name} already belongs to {other}"
        for kind in report.event_kinds:
            for claim in _kind_claims(kind):
                if other := self._kinds.get(claim):
                    return f"the event kind {kind.name} on {kind.topic} clashes with one of {other}"
        return None


def _kind_claims(kind: EventKind) -> tuple[str, str]:
    """A kind's name, and its topic with the placeholders' names left out."""
    return kind.name, re.sub(r"\{\w+\}", "{}", kind.topic)


def _silent(reports: Iterable[PluginReport]) -> list[Silent]:
    return [
        Silent(report.name, report.distribution, report.state.value)
        for report in reports
        if report.state in (PluginState.DISABLED, PluginState.BROKEN)
    ]


def _broken(reports: Iterable[PluginReport]) -> list[Problem]:
    return [
        Problem(f"plugin {report.name}", f"broken: {report.reason}")
        for report in reports
        if report.state is PluginState.BROKEN
    ]


def _unique(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(problems))
