"""The reference page of the event kinds, written from their declarations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vigilar_core.config.core import CORE
from vigilar_core.events import EventKind, Severity
from vigilar_core.plugins.plan import Plan

_HEAD = """\
# Events

Written from the declarations of the core and of the plugins by `nox -s docs`.

A word in braces stands for a level of the topic or for a field of the event's data. Kinds marked †
are left out of the timeline unless everything is asked for. `vigilar events list --kind NAME` finds
them, `vigilar events tail` follows them.

Severities, in rising order: {severities}.
"""


def events_markdown(plan: Plan) -> str:
    """The reference page of the event kinds: one table for each owner, the core's first."""
    lines = [_HEAD.format(severities=", ".join(f"`{each.value}`" for each in Severity))]
    for owner, kinds in _by_owner(plan).items():
        lines += [f"## {owner}", "", "| kind | severity | words | topic |", "|---|---|---|---|"]
        lines += [_row(kind) for kind in kinds]
        lines.append("")
    return "\n".join(lines)


def _by_owner(plan: Plan) -> Mapping[str, Iterable[EventKind]]:
    of_plugins = {
        report.name: report.event_kinds
        for report in plan.reports
        if report.usable and report.event_kinds
    }
    taken = {kind.name for kinds in of_plugins.values() for kind in kinds}
    return {CORE: [kind for kind in plan.event_kinds if kind.name not in taken], **of_plugins}


def _row(kind: EventKind) -> str:
    mark = "" if kind.timeline else " †"
    words = f"{kind.title}<br><small>{kind.text}</small>" if kind.text else kind.title
    cells = (f"`{kind.name}`{mark}", kind.severity.value, words, f"`{kind.topic}`")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
