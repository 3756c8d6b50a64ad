"""Tables made into models: everybody sees their own keys, all that is wrong is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from vigilar_core.config import (
    Camera,
    ConfigSection,
    Secret,
    SecretUrl,
    SettingsModel,
    build_settings,
)
from vigilar_core.config.core import SECTIONS, Mqtt, System
from vigilar_core.config.loaded import try_settings
from vigilar_core.config.references import SecretFiles
from vigilar_core.errors import ConfigurationError, Problem


class Zone(SettingsModel):
    name: str
    corners: list[tuple[float, float]] = Field(default=[])


class Source(SettingsModel):
    url: SecretUrl
    idle_fps: int = Field(default=2, ge=1, le=30)


class Analysis(SettingsModel):
    sensitivity: float = Field(default=0.7, ge=0, le=1)
    zones: tuple[Zone, ...] = ()
    tokens: dict[str, Secret] = Field(default={})


class Gpio(SettingsModel):
    bounce_time_ms: int = 50


class Sensor(SettingsModel):
    id: str


SOURCE = ConfigSection("cameras", Source, many=True)
ANALYSIS = ConfigSection("cameras", Analysis, many=True)
NOWHERE = SecretFiles(Path("/nonexistent"))
TWO_CAMERAS = {
    "cameras": [
        {"id": "yard", "url": "rtsp://y", "sensitivity": 0.5},
        {"id": "hall", "url": "rtsp://h", "idle_fps": 5, "enabled": False},
        {"id": "attic", "url": "rtsp://a", "key_of_somebody_else": 1},
    ]
}


def problems_of(tables: object, *sections: ConfigSection) -> list[str]:
    _, problems = try_settings(tables, (*SECTIONS, *sections), secrets=NOWHERE)  # type: ignore[arg-type]
    return [str(problem) for problem in problems]


def test_contributors_to_one_table_each_see_their_own_keys() -> None:
    settings = build_settings(TWO_CAMERAS, [SOURCE, ANALYSIS])
    assert settings.item("cameras", "yard", Analysis).sensitivity == 0.5
    assert settings.item("cameras", "yard", Source).url.reveal() == "rtsp://y"
    assert settings.item("cameras", "yard", Camera).title == "yard"


def test_items_keep_the_order_of_the_file_and_leave_out_disabled_ones() -> None:
    settings = build_settings(TWO_CAMERAS, [SOURCE])
    assert settings.items("cameras") == ("yard", "attic")
    assert settings.all_items("cameras") == ("yard", "hall", "attic")
    assert settings.item("cameras", "hall", Source).idle_fps == 5
    assert settings.items("sensors") == ()


def test_an_absent_section_has_its_defaults_and_is_known_to_be_absent() -> None:
    empty, private = build_settings({}), build_settings({"mqtt": {}})
    assert empty.section(Mqtt) == private.section(Mqtt)
    assert (empty.has("mqtt"), private.has("mqtt")) == (False, True)


def test_a_model_that_nobody_declared_is_a_key_error() -> None:
    settings = build_settings(TWO_CAMERAS)
    for ask in (
        lambda: settings.section(Gpio),
        lambda: settings.item("cameras", "yard", Source),
        lambda: settings.item("cameras", "cellar", Camera),
    ):
        with pytest.raises(KeyError):
            ask()


def test_every_problem_of_every_section_is_told_in_one_run() -> None:
    tables = {
        "system": {"timezone": "Mars/Olympus", "data_dir": "relative", "log_level": "LOUD"},
        "mqtt": {"port": 0, "host": "a b"},
        "cameras": [{"id": "yard", "idle_fps": 99, "sensitivity": "very"}],
    }
    with pytest.raises(ConfigurationError) as caught:
        build_settings(tables, [SOURCE, ANALYSIS])
    assert {problem.path for problem in caught.value.problems} == {
        "system.timezone",
        "system.data_dir",
        "system.log_level",
        "mqtt.port",
        "mqtt.host",
        "cameras.yard.url",
        "cameras.yard.idle_fps",
        "cameras.yard.sensitivity",
    }


def test_a_message_has_the_value_and_what_is_allowed() -> None:
    (message,) = problems_of({"mqtt": {"port": 99999}})
    assert message.startswith("mqtt.port: 99999 should be less than or equal to 65535")
    (message,) = problems_of({"cameras": [{"id": "yard", "location": "MOON"}]})
    assert "'MOON'" in message
    assert "'EXTERIOR'" in message


def test_a_wrong_key_deep_inside_names_its_place_and_the_right_word() -> None:
    zones = [{"name": "gate"}, {"name": "path", "cornrs": []}]
    (message,) = problems_of({"cameras": [{"id": "yard", "zones": zones}]}, ANALYSIS)
    assert message == "cameras.yard.zones[1].cornrs: unknown key (did you mean 'corners'?)"


CANARY = "Tr0ub4dor"


@pytest.mark.parametrize(
    "tables",
    [
        {"mqtt": {"password": [CANARY]}},
        {"mqtt": {"password": {"secrett": CANARY}}},
        {"security": {"pin_hash": 12345678, "recovery_passphrase_hash": [CANARY]}},
        {"cameras": [{"id": "yard", "url": [f"rtsp://u:{CANARY}@h"]}]},
        {"cameras": [{"id": "yard", "idle_fps": f"rtsp://u:{CANARY}@h"}]},
        {"cameras": [{"id": "yard", "tokens": {"a": [CANARY]}}]},
        {"mqtt": {"host": f"mqtt://u:{CANARY}@h"}},
    ],
)
def test_no_message_shows_a_secret(tables: dict[str, object]) -> None:
    messages = problems_of(tables, SOURCE, ANALYSIS)
    assert messages
    assert CANARY not in "".join(messages)
    assert "12345678" not in "".join(messages)


def test_a_reference_is_read_for_whoever_declared_the_key_only(tmp_path: Path) -> None:
    key = tmp_path / "token"
    key.write_text("abc")
    key.chmod(0o600)
    tables = {
        "cameras": [{"id": "yard", "tokens": {"a": {"secret": "token"}}, "x": {"secret": "n"}}]
    }
    settings = build_settings(tables, [ANALYSIS], secrets=SecretFiles(tmp_path))
    assert settings.item("cameras", "yard", Analysis).tokens["a"].reveal() == "abc"


def test_a_missing_secret_does_not_hide_other_problems() -> None:
    messages = problems_of({"mqtt": {"password": {"secret": "gone"}, "port": 0}})
    assert len(messages) == 2
    assert messages[0].startswith("mqtt.password: secret 'gone' cannot be read from /nonexistent")
    assert messages[1].startswith("mqtt.port: 0")


def test_secrets_lie_where_the_file_says(tmp_path: Path) -> None:
    (tmp_path / "mqtt").write_text("swordfish")
    (tmp_path / "mqtt").chmod(0o600)
    tables = {"system": {"secrets_dir": str(tmp_path)}, "mqtt": {"password": {"secret": "mqtt"}}}
    assert build_settings(tables).section(Mqtt).password.reveal() == "swordfish"


def test_a_table_written_below_an_array_is_the_table_beside_it() -> None:
    # [[sensors]] … [sensors.gpio] makes gpio a part of the last sensor in TOML.
    tables = {"sensors": [{"id": "door"}, {"id": "hall", "gpio": {"bounce_time_ms": 9}}]}
    sections = [ConfigSection("sensors", Sensor, many=True), ConfigSection("sensors.gpio", Gpio)]
    settings = build_settings(tables, sections)
    assert settings.section(Gpio).bounce_time_ms == 9
    assert settings.items("sensors") == ("door", "hall")


def test_the_folders_come_as_one_value() -> None:
    settings = build_settings({"system": {"data_dir": "/srv/data"}})
    paths = settings.section(System).paths()
    assert str(paths.spool_dir) == "/srv/data/spool"
    assert str(paths.frames_dir) == "/run/vigilar/frames"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
_KEYS = st.sampled_from(["id", "port", "password", "url", "zones", "secret", "enabled", "name"])
_PATHS = st.sampled_from(["system", "mqtt", "cameras", "sensors", "plugins", "runtime"])


@given(
    tables=st.dictionaries(
        _PATHS,
        st.dictionaries(_KEYS, _VALUES)
        | st.lists(st.dictionaries(_KEYS, _VALUES), max_size=3)
        | _VALUES,
    )
)
def test_whatever_the_file_holds_the_answer_is_settings_and_problems(
    tables: dict[str, object],
) -> None:
    sections = (*SECTIONS, SOURCE, ANALYSIS, ConfigSection("sensors.gpio", Gpio))
    settings, problems = try_settings(tables, sections, secrets=NOWHERE)
    assert all(isinstance(problem, Problem) and problem.path for problem in problems)
    if not problems:
        for each in settings.items("cameras"):
            assert settings.item("cameras", each, Camera).id == each
