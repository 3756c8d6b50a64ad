"""Which plugins are installed. Reads metadata of packages; imports none of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, EntryPoint, entry_points

from vigilar_core.config.catalogue import FIRST_PARTY
from vigilar_core.plugins.report import PluginReport, PluginState

#: Entry points of plugins: name of the plugin → module or object with its hooks.
GROUP = "vigilar.plugins"
#: Entry points of commands: name of the command → click command.
COMMAND_GROUP = "vigilar.commands"


def installed() -> Mapping[str, PluginReport]:
    """All installed plugins by name, in order of names; a name claimed twice is broken."""
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        claims = found.setdefault(point.name, [])
        # An editable install may show the same metadata twice.
        if all(_claim(point) != _claim(other) for other in claims):
            claims.append(point)
    return {name: _describe(name, found[name]) for name in sorted(found)}


def choose(
    plugins: Mapping[str, PluginReport], disabled: Iterable[str], *, third_party: bool = True
) -> Mapping[str, PluginReport]:
    """The same plugins, those that shall not run marked as disabled.

    :param disabled: names out of ``[plugins] disabled``
    :param third_party: whether plugins that are not part of Vigilar may run
    """
    names = set(disabled)
    return {name: _choose(report, names, third_party) for name, report in plugins.items()}


def distribution_name(distribution: Distribution | None) -> str:
    """Name of a package as its metadata has it; ``unknown`` for one without."""
    return (distribution.metadata["Name"] or "unknown") if distribution else "unknown"


def _choose(report: PluginReport, disabled: set[str], third_party: bool) -> PluginReport:
    # Disabled is looked at first: it must also silence a plugin that is broken.
    if report.name in disabled:
        return _off(report, "listed in [plugins] disabled")
    if not third_party and not report.first_party:
        return _off(report, "plugins of third parties are left out")
    return report


def _off(report: PluginReport, reason: str) -> PluginReport:
    return PluginReport(
        report.name,
        report.distribution,
        report.version,
        PluginState.DISABLED,
        reason,
        report.summary,
        report.first_party,
    )


def _claim(point: EntryPoint) -> tuple[str, str]:
    return distribution_name(point.dist), point.value


def _describe(name: str, claims: list[EntryPoint]) -> PluginReport:
    distributions = sorted({distribution_name(point.dist) for point in claims})
    first = claims[0].dist
    report = PluginReport(
        name=name,
        distribution=", ".join(distributions),
        version=first.version if first else "",
        summary=_summary(first),
        first_party=set(distributions) <= FIRST_PARTY,
    )
    if len(claims) > 1:
        targets = ", ".join(f"{claim[1]} of {claim[0]}" for claim in map(_claim, claims))
        return report.broken(f"the name is claimed more than once: {targets}; uninstall one")
    return report


def _summary(distribution: Distribution | None) -> str:
    # An absent field of the metadata is None (importlib.metadata before 3.14).
    found = distribution.metadata["Summary"] if distribution else None
    return found or ""
