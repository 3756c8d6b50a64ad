"""Keys and shapes against what was declared: each finding names the place and the way out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from vigilar_core.config import ConfigSection, Secret, SecretUrl, SettingsModel
from vigilar_core.config.catalogue import OWNERS
from vigilar_core.config.check import Findings, Silent, check_tables
from vigilar_core.config.core import SECTIONS
from vigilar_core.config.schema import SectionSchema


class Web(SettingsModel):
    port: int = 49735
    password_hash: Secret = Secret()


class Email(SettingsModel):
    smtp_host: str = ""


class Target(SettingsModel):
    url: SecretUrl = SecretUrl()
    token: Secret = Secret()
    old: str = Field(default="", json_schema_extra={"x-deprecated": "use 'url'"})


class Hook(SettingsModel):
    targets: list[Target] = Field(default=[])


class Source(SettingsModel):
    rtsp_url: SecretUrl = SecretUrl()


class Gpio(SettingsModel):
    bounce_time_ms: int = 50


class Sensor(SettingsModel):
    id: str


CORE = [SectionSchema.of(section) for section in SECTIONS]
PLUGINS = [
    SectionSchema.of(ConfigSection("web", Web), "web"),
    SectionSchema.of(ConfigSection("alerts.email", Email), "email"),
    SectionSchema.of(ConfigSection("alerts.hook", Hook), "hook"),
    SectionSchema.of(ConfigSection("cameras", Source, many=True), "camera-rtsp"),
    SectionSchema.of(ConfigSection("sensors", Sensor, many=True), "sensors"),
    SectionSchema.of(ConfigSection("sensors.gpio", Gpio), "sensors"),
]


def check(tables: dict[str, Any], *silent: Silent) -> Findings:
    asked = ("vigilar-web", "vigilar-camera-rtsp", "vigilar-sensors")
    return check_tables(tables, [*CORE, *PLUGINS], silent, asked=asked)


def problem(tables: dict[str, Any]) -> str:
    (found,) = check(tables).problems
    return str(found)


def test_a_file_of_declared_keys_has_no_findings() -> None:
    tables = {
        "system": {"name": "Home"},
        "web": {"port": 1},
        "alerts": {"email": {"smtp_host": "mail"}},
        "cameras": [{"id": "yard", "display_name": "Yard", "rtsp_url": "rtsp://yard"}],
        "sensors": [{"id": "door", "gpio": {"bounce_time_ms": 1}}],
    }
    assert check(tables) == Findings()


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"web": {"prot": 1}}, "web.prot: unknown key (did you mean 'port'?)"),
        ({"wbe": {"port": 1}}, "wbe: unknown section (did you mean 'web'?)"),
        (
            {"alerts": {"emial": {"smtp_host": ""}}},
            "alerts.emial: unknown key (did you mean 'email'?)",
        ),
        (
            {"cameras": [{"id": "yard", "rtps_url": ""}]},
            "cameras.yard.rtps_url: unknown key (did you mean 'rtsp_url'?)",
        ),
        (
            {"sensors": {"gpio": {"zzz": 1}}},
            "sensors.gpio.zzz: not known to the installed vigilar-sensors",
        ),
        ({"xyz": 3}, "xyz: unknown section"),
    ],
)
def test_an_unknown_key_is_refused_with_its_path_and_the_nearest_known_one(
    tables: dict[str, Any], message: str
) -> None:
    assert problem(tables) == message


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            {"cameras": {"id": "yard"}},
            "cameras: is a table, several are expected (write [[cameras]])",
        ),
        ({"cameras": {}}, "cameras: is a table, several are expected (write [[cameras]])"),
        ({"web": [{"port": 1}]}, "web: is an array, one table is expected (write [web])"),
        ({"web": 3}, "web: is a value, a table is expected (write [web])"),
        ({"cameras": [1]}, "cameras: is a value, a table is expected (write [[cameras]])"),
        (
            {"alerts": {"email": "x"}},
            "alerts.email: is a value, a table is expected (write [alerts.email])",
        ),
    ],
)
def test_one_table_and_several_are_told_apart(tables: dict[str, Any], message: str) -> None:
    assert problem(tables) == message


def test_ids_are_required_legal_and_unique() -> None:
    items = [{"id": "yard"}, {"id": "yard"}, {}, {"id": "a/b"}, {"id": 7}, {"id": "hall"}]
    found = check({"cameras": items}).problems
    assert [each.path for each in found] == [
        "cameras[1].id",
        "cameras[2].id",
        "cameras[3].id",
        "cameras[4].id",
    ]
    assert "'yard' is also the id of cameras[0]" in found[0].message


@pytest.mark.parametrize(
    ("distribution", "path", "key"),
    [
        (distribution, path, key)
        for distribution, sections in OWNERS.items()
        for path, keys in sections.items()
        for key in keys
    ],
)
def test_a_key_of_an_absent_plugin_names_the_package(
    distribution: str, path: str, key: str
) -> None:
    inner: Any = {"anything" if key == "*" else key: 1}
    if path == "cameras":
        inner = [{"id": "yard", **inner}]
    tables: Any = inner
    for name in reversed(path.split(".")):
        tables = {name: tables}
    (found,) = check_tables(tables, CORE).problems
    assert found.message == f"belongs to {distribution}, which is not installed"
    assert f"pip install {distribution}" in found.fix


def test_the_empty_section_of_an_absent_plugin_is_only_mentioned() -> None:
    findings = check({"ups": {}})
    assert not findings.problems
    assert "vigilar-ups-nut" in findings.warnings[0].message


def test_an_installed_plugin_speaks_for_itself() -> None:
    # The catalogue knows [web] as a whole; the plugin that is there does not know this key.
    message = problem({"web": {"session_timeout": 1}})
    assert message == "web.session_timeout: not known to the installed vigilar-web"


@pytest.mark.parametrize("reason", ["disabled", "broken"])
def test_keys_of_a_plugin_that_is_off_stay_in_the_file(reason: str) -> None:
    silent = Silent("ups-nut", "vigilar-ups-nut", reason)
    findings = check({"ups": {"nut_host": "x"}}, silent)
    assert not findings.problems
    assert str(findings.warnings[0]) == f"ups: not used: plugin 'ups-nut' is {reason}"


def test_a_strange_key_may_belong_to_a_stranger_that_is_off() -> None:
    stranger = Silent("bells", "vigilar-bells", "disabled")
    findings = check({"bells": {"loud": True}, "zzz": 1}, stranger)
    assert not findings.problems
    assert [each.path for each in findings.warnings] == ["bells", "zzz"]
    # A slip of the pen is still one: the guess is better than the excuse.
    assert check({"web": {"prot": 1}}, stranger).problems


def test_all_problems_are_found_in_one_run() -> None:
    tables = {"web": {"prot": 1}, "wbe": {}, "ups": {"x": 1}, "cameras": [{"x": 1}], "mqtt": []}
    assert [each.path for each in check(tables).problems] == [
        "web.prot",
        "wbe",
        "ups",
        "cameras[0].x",
        "mqtt",
        "cameras[0].id",
    ]


@pytest.mark.parametrize(
    ("tables", "path"),
    [
        ({"web": {"password_hash": "ab:cd"}}, "web.password_hash"),
        ({"mqtt": {"password": "swordfish"}}, "mqtt.password"),
        ({"cameras": [{"id": "a", "rtsp_url": "rtsp://me:pw@cam/"}]}, "cameras.a.rtsp_url"),
        ({"alerts": {"hook": {"targets": [{}, {"token": "x"}]}}}, "alerts.hook.targets[1].token"),
        ({"database": {"url": "postgresql://v:pw@db/v"}}, "database.url"),
    ],
)
def test_a_secret_in_the_file_is_found(tables: dict[str, Any], path: str) -> None:
    findings = check(tables)
    assert findings.inline_secrets == [path]
    assert [each.path for each in findings.warnings] == [path]
    assert 'secret = "name"' in findings.warnings[0].fix
    assert "swordfish" not in str(findings.warnings[0])


@pytest.mark.parametrize(
    "tables",
    [
        {"web": {"password_hash": ""}},
        {"web": {"password_hash": {"secret": "web"}}},
        {"cameras": [{"id": "a", "rtsp_url": "rtsp://cam/"}]},
        {"cameras": [{"id": "a", "rtsp_url": {"secret": "cam"}}]},
        {"database": {"url": "postgresql://vigilar@db/v"}},
    ],
)
def test_what_is_no_secret_is_left_alone(tables: dict[str, Any]) -> None:
    assert check(tables) == Findings()


def test_deprecated_keys_name_their_successor_at_any_depth() -> None:
    findings = check(
        {"system": {"arm_pin_hash": ""}, "alerts": {"hook": {"targets": [{"old": "x"}]}}}
    )
    assert not findings.problems
    first, second = findings.warnings
    assert (first.path, "pin_hash in [security]" in first.fix) == ("system.arm_pin_hash", True)
    assert (second.path, second.fix) == ("alerts.hook.targets[0].old", "use 'url'")


_NAMES = st.sampled_from(
    ["web", "port", "cameras", "id", "alerts", "email", "sensors", "gpio", "x"]
)
_ANYTHING = st.recursive(
    st.integers() | st.text(max_size=5) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(tables=st.dictionaries(_NAMES, _ANYTHING, max_size=5))
def test_whatever_the_file_holds_findings_are_the_answer(tables: dict[str, Any]) -> None:
    findings = check(tables)
    assert all(each.path and each.message for each in findings.problems)
