"""The page of the event kinds shows each kind once, under whoever declares it."""

from __future__ import annotations

from vigilar_core.events import EventKind, Severity
from vigilar_core.plugins import Plan, PluginReport, PluginState
from vigilar_core.plugins.builtin import event_kinds
from vigilar_core.reference.events import events_markdown

BELL = EventKind(
    "bell_rang", "vigilar/bell/{door}", Severity.NOTICE, "Somebody at {door}", "a | b", False
)
PLAN = Plan(
    reports=(
        PluginReport("bell", "vigilar-bell", state=PluginState.ENABLED, event_kinds=(BELL,)),
        PluginReport("mute", "vigilar-mute", state=PluginState.ENABLED),
    ),
    services=(),
    event_kinds=(*event_kinds(), BELL),
    sections=(),
    problems=(),
    warnings=(),
)


def test_a_kind_stands_below_its_owner_with_topic_severity_and_words() -> None:
    core, bell = events_markdown(PLAN).split("## bell")
    assert (
        "| `bell_rang` † | notice | Somebody at {door}<br><small>a \\| b</small> "
        "| `vigilar/bell/{door}` |"
    ) in bell
    assert "bell_rang" not in core
    assert "## mute" not in bell


def test_every_kind_of_the_core_is_there_once() -> None:
    page = events_markdown(PLAN)
    assert [kind.name for kind in event_kinds() if page.count(f"| `{kind.name}`") != 1] == []


def test_the_severities_are_named_in_rising_order() -> None:
    page = events_markdown(PLAN)
    places = [page.index(f"`{severity.value}`") for severity in Severity]
    assert places == sorted(places)
