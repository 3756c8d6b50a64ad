from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from vigilar_core.config.core import SECTIONS
from vigilar_core.config.loaded import build_settings
from vigilar_core.config.schema import SectionSchema
from vigilar_core.config.section import ConfigSection, SettingsModel
from vigilar_core.context import Service
from vigilar_core.errors import ConfigurationError
from vigilar_core.events import EventKind, Severity
from vigilar_core.plugins.plan import Plan
from vigilar_core.plugins.report import PluginReport, PluginState
from vigilar_core.runtime.workers import Choice, Stage, WorkerPlan, plan_workers


class PresenceSettings(SettingsModel):
    method: str = "icmp"


class RecorderSettings(SettingsModel):
    """Keys of the recorder within a camera."""

    retention_days: int = 30


def report(name: str, **values: Any) -> PluginReport:
    services = tuple(
        dataclasses.replace(service, plugin=name) for service in values.pop("services", ())
    )
    return PluginReport(
        name, f"vigilar-{name}", "1", PluginState.ENABLED, services=services, **values
    )


def section(path: str, model: type[SettingsModel], owner: str, many: bool = False) -> SectionSchema:
    return SectionSchema.of(ConfigSection(path, model, many), owner)


REPORTS = (
    report(
        "camera-rtsp",
        services=[Service("camera:hall", inline=True), Service("camera:yard", inline=True)],
        hooks=("register_services", "service_run"),
    ),
    report(
        "recorder",
        hooks=("camera_attach", "register_tables"),
        inline=True,
        has_tables=True,
        sections=(section("cameras", RecorderSettings, "recorder", many=True),),
    ),
    report(
        "presence",
        services=[Service("presence")],
        hooks=("poll",),
        sections=(section("presence", PresenceSettings, "presence"),),
    ),
)
NAMES = ["broker", "ledger", "presence", "camera:hall", "camera:yard"]
TABLES: dict[str, Any] = {
    "presence": {"method": "icmp"},
    "cameras": [{"id": "hall", "retention_days": 3}, {"id": "yard"}],
}


def workers(
    tables: dict[str, Any] = TABLES,
    reports: tuple[PluginReport, ...] = REPORTS,
    choice: Choice | None = None,
    *,
    broker: bool = True,
    targets: Mapping[str, str] | None = None,
) -> dict[str, WorkerPlan]:
    plan = Plan(
        reports=reports,
        services=tuple(service for each in reports for service in each.services),
        event_kinds=tuple(kind for each in reports for kind in each.event_kinds),
        sections=(
            *(SectionSchema.of(each) for each in SECTIONS),
            *(each for one in reports for each in one.sections),
        ),
        problems=(),
        warnings=(),
        settings=build_settings(tables),
    )
    found = plan_workers(plan, tables, choice or Choice(), broker=broker, targets=targets)
    return {worker.name: worker for worker in found}


def changed(before: dict[str, WorkerPlan], after: dict[str, WorkerPlan]) -> set[str]:
    return {name for name in before if before[name].fingerprint != after[name].fingerprint}


def test_broker_and_ledger_start_first_and_are_stopped_last() -> None:
    found = workers()
    assert list(found)[:2] == ["broker", "ledger"]
    assert [found[name].stage for name in ("camera:hall", "presence", "ledger", "broker")] == [
        Stage.CAMERAS, Stage.REST, Stage.LEDGER, Stage.BROKER,
    ]  # fmt: skip


def test_a_configured_broker_needs_none_of_our_own() -> None:
    assert "broker" not in workers(broker=False)


def test_each_service_has_a_process_of_its_own_unless_grouped() -> None:
    assert list(workers()) == NAMES
    grouped = workers({**TABLES, "runtime": {"groups": {"all": ["camera:*"]}}})
    assert [each.name for each in grouped["group:all"].boot.services] == [
        "camera:hall", "camera:yard",
    ]  # fmt: skip
    assert grouped["group:all"].stage is Stage.CAMERAS


def test_broker_and_ledger_never_join_a_group() -> None:
    found = workers({**TABLES, "runtime": {"groups": {"g": ["broker", "ledger", "presence"]}}})
    assert {"broker", "ledger", "group:g"} <= set(found)


def test_each_process_imports_its_own_plugins_only() -> None:
    found = workers()
    assert found["presence"].boot.plugins_to_load() == ("presence",)
    assert found["camera:hall"].boot.plugins_to_load() == ("camera-rtsp", "recorder")
    assert found["ledger"].boot.plugins_to_load() == ("recorder",)
    assert found["broker"].boot.plugins_to_load() == ()


def test_only_the_named_services_run_where_only_they_are_asked_for() -> None:
    assert list(workers(choice=Choice(only=("camera:yard",)))) == ["camera:yard"]
    with pytest.raises(ConfigurationError, match=r"no service 'camera:barn'.*camera:yard"):
        workers(choice=Choice(only=("camera:barn",)))


def test_a_plugin_that_only_reacts_beside_its_cameras_gets_a_worker_named_after_it() -> None:
    reacting = dataclasses.replace(REPORTS[0], detached=("on_event",))
    found = workers(reports=(reacting, *REPORTS[1:]))
    assert [each.plugin for each in found["camera-rtsp"].boot.services] == ["camera-rtsp"]


def test_polling_is_the_business_of_the_declared_services() -> None:
    polling = dataclasses.replace(REPORTS[0], detached=("poll",))
    assert "camera-rtsp" not in workers(reports=(polling, *REPORTS[1:]))


def test_a_broken_plugin_is_told_to_nobody() -> None:
    broken = REPORTS[1].broken("cannot be imported")
    found = workers(reports=(REPORTS[0], broken, REPORTS[2]))
    assert found["camera:hall"].boot.plugins_to_load() == ("camera-rtsp",)


def test_the_command_lines_log_level_stands_over_the_configured_one() -> None:
    tables = {**TABLES, "system": {"log_level": "ERROR"}}
    assert workers(tables)["presence"].boot.log_level == "ERROR"
    assert workers(tables, choice=Choice(log_level="DEBUG"))["presence"].boot.log_level == "DEBUG"


@pytest.mark.parametrize(
    ("tables", "restarted"),
    [
        ({"presence": {"method": "arping"}}, {"presence"}),
        ({"cameras": [{"id": "hall", "retention_days": 4}, {"id": "yard"}]}, {"camera:hall"}),
        ({"location": {"latitude": 48.2}}, {"presence", "camera:hall", "camera:yard"}),
        ({"database": {"url": "sqlite:////x"}}, set(NAMES)),
        ({"cameras": [*TABLES["cameras"], {"id": "barn"}]}, {"presence"}),
        ({"plugins": {"disabled": ["pets"]}}, set()),
        ({}, set()),
    ],
    ids=[
        "a plugin's section",
        "one camera",
        "a core section",
        "the store",
        "another camera",
        "an absent plugin",
        "nothing",
    ],
)
def test_a_changed_configuration_touches_those_who_see_it(
    tables: dict[str, Any], restarted: set[str]
) -> None:
    assert changed(workers(), workers({**TABLES, **tables})) == restarted


def test_another_plugins_events_do_not_restart_a_camera() -> None:
    kind = EventKind("child_home", "vigilar/presence/child", Severity.INFO, "Home")
    chatty = dataclasses.replace(REPORTS[2], event_kinds=(kind,))
    touched = changed(workers(), workers(reports=(*REPORTS[:2], chatty)))
    assert "camera:hall" not in touched
    assert "ledger" in touched


def test_a_new_inline_plugin_restarts_the_cameras() -> None:
    live = report("live", hooks=("camera_attach",), inline=True)
    touched = changed(workers(), workers(reports=(*REPORTS, live)))
    assert touched == {"camera:hall", "camera:yard"}


def test_a_detached_analyser_restarts_the_cameras_so_that_they_share_pictures() -> None:
    pets = report("pets", services=[Service("pets")], hooks=("on_frame",), detached=("on_frame",))
    touched = changed(workers(), workers(reports=(*REPORTS, pets)))
    assert touched == {"camera:hall", "camera:yard"}


def test_inline_plugins_are_imported_before_a_cameras_process_is_forked() -> None:
    targets = {"recorder": "house_recorder.plugin:plugin", "presence": "presence:plugin"}
    found = workers(targets=targets)
    assert found["camera:hall"].preload == ("house_recorder.plugin",)
    assert found["presence"].preload == ()
