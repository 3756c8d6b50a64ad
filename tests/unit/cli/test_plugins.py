"""``vigilar plugins`` as a person uses it; the plugins are made up, the file is real."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from vigilar_core.cli import main
from vigilar_core.cli import plugins as command
from vigilar_core.context import Service
from vigilar_core.errors import ExitCode
from vigilar_core.plugins import PluginReport, PluginState, plan

FOUND = {
    "bells": PluginReport("bells", "vigilar-bells", "1.2", summary="Rings"),
    "motion": PluginReport("motion", "vigilar-motion", "0.1.0", first_party=True),
    "rust": PluginReport("rust", "vigilar-rust", "3").broken("it rusted"),
    "source": PluginReport("source", "vigilar-source", "1"),
}
ANSWERS = {
    "bells": {"hooks": ("notify",), "services": (Service("bells", "bells"),)},
    "motion": {"hooks": ("camera_attach",), "inline": True},
    "source": {"services": (Service("camera:hall", "source", inline=True),)},
}
FILE = """\
# ours
[plugins]  # which
disabled = ["gone"]  # for now
"""


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def probe(reports: Sequence[PluginReport], *_: Any, **__: Any) -> list[PluginReport]:
        return [
            replace(report, state=PluginState.ENABLED, **ANSWERS.get(report.name, {}))
            for report in reports
        ]

    monkeypatch.setattr(plan, "installed", lambda: FOUND)
    monkeypatch.setattr(command, "installed", lambda: FOUND)
    monkeypatch.setattr(plan, "probe", probe)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "vigilar.toml"
    path.write_text(FILE)
    path.chmod(0o640)
    monkeypatch.setenv("VIGILAR_CONFIG", str(path))
    yield path
    assert os.listdir(tmp_path) == ["vigilar.toml"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["plugins", *arguments])


def test_all_installed_plugins_are_listed_with_their_state(file: Path) -> None:
    lines = run("list").output.splitlines()
    assert [line.split() for line in lines] == [
        ["PLUGIN", "VERSION", "STATE"],
        ["bells", "1.2", "enabled", "Rings"],
        ["motion", "0.1.0", "enabled"],
        ["rust", "3", "broken", "it", "rusted"],
        ["source", "1", "enabled"],
    ]


def test_the_list_can_be_read_by_programs(file: Path) -> None:
    listed = json.loads(run("list", "--json").output)
    assert listed[2] == {
        "name": "rust",
        "distribution": "vigilar-rust",
        "version": "3",
        "state": "broken",
        "reason": "it rusted",
        "summary": "",
    }


def test_without_any_file_the_list_still_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIGILAR_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    assert run("list").exit_code == 0
    # A file that was named has to be there.
    assert run("list", "-c", "none.toml").exit_code == ExitCode.CONFIGURATION


def test_what_runs_is_told_by_the_supervisor(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"plugins": [{"plugin": "bells", "state": "running"}, {"plugin": "rust"}]}
    monkeypatch.setattr(command, "ask", lambda *_, **__: answer)
    states = {each["name"]: each["state"] for each in json.loads(run("list", "--json").output)}
    assert states["bells"] == "running"
    assert states["motion"] == "enabled"
    assert states["rust"] == "broken"


def test_one_plugin_is_described(file: Path) -> None:
    output = run("show", "bells").output
    assert output.splitlines()[0] == "bells 1.2 (vigilar-bells)"
    assert "hooks: notify" in output
    assert "services: bells" in output
    assert json.loads(run("show", "bells", "--json").output)["hooks"] == ["notify"]


def test_disabling_adds_to_the_list_and_keeps_every_comment(file: Path) -> None:
    result = run("disable", "bells", "motion")
    assert result.exit_code == 0
    assert file.read_text() == FILE.replace('["gone"]', '["gone", "bells", "motion"]')
    assert "systemctl reload vigilar" in result.output
    assert "bells, camera:hall" in result.output


def test_enabling_takes_off_the_list(file: Path) -> None:
    run("disable", "bells")
    result = run("enable", "bells")
    assert result.exit_code == 0
    assert file.read_text() == FILE
    assert "restarted or stopped by it: bells" in result.output


def test_a_name_that_is_gone_can_be_taken_off_but_not_put_on(file: Path) -> None:
    assert run("enable", "gone").exit_code == 0
    assert "disabled = []" in file.read_text()
    result = run("disable", "gone")
    assert result.exit_code == ExitCode.BOOT
    assert "not installed" in result.stderr


def test_doing_it_twice_changes_nothing_more(file: Path) -> None:
    run("disable", "bells")
    before = file.stat().st_ino
    assert run("disable", "bells").exit_code == 0
    assert file.stat().st_ino == before


def test_a_slip_of_the_pen_is_answered_with_the_nearest_name(file: Path) -> None:
    for verb in ("show", "enable", "disable", "check"):
        result = run(verb, "bels")
        assert result.exit_code == ExitCode.BOOT
        assert "did you mean 'bells'?" in result.stderr
    assert file.read_text() == FILE


def test_a_file_that_cannot_be_used_is_not_edited(file: Path) -> None:
    file.write_text(FILE + "[mqtt]\nport = 0\n")
    result = run("disable", "bells")
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "mqtt.port" in result.stderr
    assert '"bells"' not in file.read_text()


def test_a_list_that_is_none_is_told(file: Path) -> None:
    file.write_text('[plugins]\ndisabled = "bells"\n')
    result = run("enable", "bells")
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "plugins.disabled: must be a list of names" in result.stderr


def test_findings_of_the_check_are_printed_and_fail(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vigilar_core.errors import Problem
    from vigilar_core.testing import conformance

    findings = {"bells": [Problem("a.b", "has no description")], "motion": []}
    monkeypatch.setattr(conformance, "check_plugin", findings.__getitem__)
    assert run("check", "motion").output == "motion: keeps all rules\n"
    result = run("check", "bells", "motion")
    assert result.exit_code == ExitCode.BOOT
    assert "bells: breaks rules:\n  a.b: has no description" in result.output
    assert json.loads(run("check", "bells", "--json").stdout) == {
        "bells": ["a.b: has no description"]
    }
    assert run("check").exit_code == 2


def test_a_new_project_is_announced_with_its_next_steps(tmp_path: Path) -> None:
    result = run("new", "door-bell", "--into", str(tmp_path))
    assert result.exit_code == 0
    assert "vigilar plugins check door-bell" in result.output
    assert (tmp_path / "vigilar-door-bell" / "pyproject.toml").exists()
