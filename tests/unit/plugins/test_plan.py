"""Joining the answers: who gets what, who is broken, what is wrong with the file."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import Field

from vigilar_core.config import ConfigSection, SettingsModel
from vigilar_core.config.core import System
from vigilar_core.config.load import ConfigFile
from vigilar_core.config.schema import SectionSchema
from vigilar_core.context import Service
from vigilar_core.errors import ConfigurationError, Problem
from vigilar_core.events import EventCatalogue, EventKind, Severity
from vigilar_core.plugins import PluginReport, PluginState, build_plan, plan, plan_file
from vigilar_core.plugins.plan import join


class Keys(SettingsModel):
    """Keys."""

    volume: int = Field(default=1, description="Loudness")


class OtherKeys(SettingsModel):
    """Other keys."""

    colour: str = Field(default="red", description="Colour")


class Takes(SettingsModel):
    """A key of the core."""

    name: str = Field(default="", description="Name")


def report(name: str, *, first_party: bool = False, **values: Any) -> PluginReport:
    return PluginReport(
        name, f"vigilar-{name}", state=PluginState.ENABLED, first_party=first_party, **values
    )


def section(path: str, model: type[SettingsModel], owner: str, *, many: bool = False) -> Any:
    return (SectionSchema.of(ConfigSection(path, model, many=many), owner),)


def kind(name: str, topic: str) -> tuple[EventKind, ...]:
    return (EventKind(name, topic, Severity.INFO, name),)


def states(*reports: PluginReport) -> dict[str, str]:
    return {each.name: each.state.value for each in join({}, reports).reports}


def test_two_plugins_may_share_a_table_but_no_key() -> None:
    bells = report("bells", sections=section("shared", Keys, "bells"))
    chimes = report("chimes", sections=section("shared", OtherKeys, "chimes"))
    assert states(bells, chimes) == {"bells": "enabled", "chimes": "enabled"}
    thief = report("thief", sections=section("shared", Keys, "thief"))
    found = join({}, [bells, thief]).report("thief")
    assert found is not None
    assert found.reason == "the key shared.volume already belongs to bells"


def test_a_plugin_of_the_house_keeps_its_own_whatever_the_names() -> None:
    stranger = report("aaa", services=(Service("camera:hall"),))
    house = report("camera-rtsp", first_party=True, services=(Service("camera:hall"),))
    assert states(stranger, house) == {"aaa": "broken", "camera-rtsp": "enabled"}


def test_a_key_of_the_core_is_nobody_elses() -> None:
    found = join({}, [report("a", sections=section("system", Takes, "a"))]).report("a")
    assert found is not None
    assert found.reason == "the key system.name already belongs to core"


def test_one_path_has_one_shape() -> None:
    found = join({}, [report("a", sections=section("cameras", Keys, "a"))]).report("a")
    assert found is not None
    assert "in another shape than core" in found.reason


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        (("rang", "vigilar/a/rang"), ("rang", "vigilar/b/rang"), True),
        (("rang", "vigilar/{a}/rang"), ("rung", "vigilar/{b}/rang"), True),
        (("rang", "vigilar/a/rang"), ("rung", "vigilar/b/rang"), False),
    ],
)
def test_event_kinds_are_unique_by_name_and_by_topic(
    first: tuple[str, str], second: tuple[str, str], clash: bool
) -> None:
    a, b = report("a", event_kinds=kind(*first)), report("b", event_kinds=kind(*second))
    joined = join({}, [a, b])
    assert states(a, b) == {"a": "enabled", "b": "broken" if clash else "enabled"}
    # What is left makes a catalogue: nothing in it clashes.
    assert len(EventCatalogue.of(joined.event_kinds).kinds) == len(joined.event_kinds)


def test_a_kind_of_the_core_is_taken() -> None:
    assert states(report("a", event_kinds=kind("plugin_broken", "vigilar/x"))) == {"a": "broken"}


def test_a_broken_plugin_is_a_warning_and_the_rest_runs() -> None:
    well = report("well", services=(Service("well", "well"),))
    joined = join({}, [report("bad").broken("it rusted"), well])
    assert joined.problems == ()
    assert joined.warnings == (Problem("plugin bad", "broken: it rusted"),)
    assert [service.name for service in joined.services] == ["well"]


def test_wrong_settings_stop_everything_and_are_all_told() -> None:
    wrong = report("a", problems=(Problem("a.x", "wrong"),), services=(Service("a"),))
    joined = join({"system": {"timezone": "Mars"}, "zzz": {"x": 1}}, [wrong])
    with pytest.raises(ConfigurationError) as caught:
        joined.require()
    assert [problem.path for problem in caught.value.problems] == ["zzz", "system.timezone", "a.x"]
    assert joined.services == ()


def test_the_plan_carries_the_settings_of_the_core() -> None:
    joined = join({"system": {"name": "Home"}}, [])
    assert joined.require().settings.section(System).name == "Home"
    (system,) = (each for each in joined.sections if each.path == "system")
    assert system.values["name"] == "Home"


def test_inline_plugins_are_known() -> None:
    joined = join({}, [report("motion", inline=True), report("mail"), report("live", inline=True)])
    assert joined.inline_plugins() == ("motion", "live")


def test_a_key_of_a_disabled_plugin_stays_in_the_file() -> None:
    off = dataclasses.replace(report("bells"), state=PluginState.DISABLED)
    joined = join({"bells": {"volume": 3}}, [off])
    assert joined.problems == ()
    assert "may belong to a plugin that is off: bells" in joined.warnings[0].message


Install = Callable[..., str]
BELLS = """
from vigilar_core.hookspecs import hookimpl

@hookimpl
def on_event(event):
    pass
"""


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Leave out what else is installed here: the tests do not depend on it."""
    real = plan.installed

    def these(*names: str) -> None:
        monkeypatch.setattr(plan, "installed", lambda: {name: real()[name] for name in names})

    return these


def test_a_disabled_plugin_is_not_imported_at_all(
    install: Install, only: Callable[..., None], tmp_path: Any
) -> None:
    mark = tmp_path / "imported"
    install("bells", BELLS + f"import pathlib; pathlib.Path({str(mark)!r}).touch()")
    only("bells")
    off = build_plan({"plugins": {"disabled": ["bells"]}})
    assert [(each.name, each.state.value) for each in off.reports] == [("bells", "disabled")]
    assert not mark.exists()
    # The control: enabled, it is imported, though never in this process.
    on = build_plan({})
    assert [(each.name, each.state.value) for each in on.reports] == [("bells", "enabled")]
    assert mark.exists()
    assert "vigilar_bells" not in sys.modules


def test_the_kill_switch_leaves_out_third_parties(
    install: Install, only: Callable[..., None]
) -> None:
    install("bells", "raise RuntimeError")
    only("bells")
    for found in (
        build_plan({}, third_party=False),
        build_plan({"plugins": {"third_party": False}}),
    ):
        assert [each.state.value for each in found.reports] == ["disabled"]
        assert found.problems == found.warnings == ()


def test_a_plugin_that_only_reacts_gets_a_service_of_its_name(
    install: Install, only: Callable[..., None]
) -> None:
    install("bells", BELLS)
    only("bells")
    assert build_plan({}).services == (Service("bells", "bells"),)


def test_a_listed_name_that_is_not_installed_is_a_warning(
    install: Install, only: Callable[..., None]
) -> None:
    install("bells", BELLS)
    only("bells")
    found = build_plan({"plugins": {"disabled": ["bels"]}})
    assert [str(each) for each in found.warnings] == [
        "plugins.disabled: 'bels' is not installed (did you mean 'bells'?)"
    ]


def test_a_readable_file_with_a_secret_in_it_is_refused(only: Callable[..., None]) -> None:
    only()
    tables = {"mqtt": {"password": "swordfish"}}
    open_to_all = ConfigFile(System().data_dir / "v.toml", tables, 0o644)
    private = ConfigFile(System().data_dir / "v.toml", tables, 0o640)
    assert not plan_file(private).problems
    (problem,) = plan_file(open_to_all).problems
    assert "mqtt.password" in problem.message
    assert "swordfish" not in str(problem)
