"""Reports survive the way through JSON; a broken plugin keeps nothing it declared."""

from __future__ import annotations

import json

import pytest

from vigilar_core.config.core import SECTIONS
from vigilar_core.config.schema import SectionSchema
from vigilar_core.context import Service
from vigilar_core.errors import Problem
from vigilar_core.events import EventKind, Severity
from vigilar_core.plugins import PluginReport, PluginState

FULL = PluginReport(
    name="bells",
    distribution="vigilar-bells",
    version="1.2.3",
    state=PluginState.ENABLED,
    summary="Rings",
    hooks=("notify", "on_event"),
    sections=tuple(SectionSchema.of(section, "bells") for section in SECTIONS),
    services=(Service("bells", "bells", 5.0, ("json", "csv"), inline=True),),
    event_kinds=(EventKind("rang", "vigilar/bells/rang", Severity.INFO, "It rang"),),
    inline=True,
    has_tables=True,
    has_pages=True,
    detached=("notify", "on_event"),
    preload=("json",),
    problems=(Problem("bells.x", "wrong", "right"),),
    remarks=("loud",),
    import_s=0.25,
)


def test_a_report_comes_out_of_json_as_it_went_in() -> None:
    assert PluginReport.from_json(json.loads(json.dumps(FULL.to_json()))) == FULL


@pytest.mark.parametrize(
    "change", [{"state": "asleep"}, {"sections": [{}]}, {"services": 3}, {"unheard": 1}]
)
def test_what_is_no_report_is_refused(change: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        PluginReport.from_json({**FULL.to_json(), **change})


def test_a_broken_plugin_declares_nothing() -> None:
    broken = FULL.broken("it rusted")
    assert (broken.state, broken.reason, broken.usable) == (PluginState.BROKEN, "it rusted", False)
    assert not (broken.sections or broken.services or broken.event_kinds or broken.preload)
    assert not (broken.inline or broken.has_tables or broken.has_pages or broken.detached)
    assert (broken.name, broken.distribution, broken.version) == ("bells", "vigilar-bells", "1.2.3")


def test_a_plugin_with_wrong_settings_is_not_started() -> None:
    assert not FULL.usable
    assert PluginReport("a", "vigilar-a", state=PluginState.ENABLED).usable
    assert not PluginReport("a", "vigilar-a", state=PluginState.DISABLED).usable
