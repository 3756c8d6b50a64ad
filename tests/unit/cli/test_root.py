"""The command line as a whole: quick help, lazy commands, errors without tracebacks."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner, Result

from vigilar_core import __version__
from vigilar_core.cli import lazy, main
from vigilar_core.cli.root import COMMANDS
from vigilar_core.errors import (
    ConfigurationError,
    ExitCode,
    NotReadyError,
    PermanentError,
    Problem,
    VigilarError,
)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def fresh(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_the_help_names_every_command_without_importing_one() -> None:
    code = (
        "import sys\nfrom vigilar_core.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(*(name for name in sys.modules if name.startswith(('vigilar_', 'pydantic',"
        " 'sqlalchemy', 'flask', 'numpy', 'paho', 'pluggy', 'rich', 'tomlkit'))))\n"
    )
    *lines, modules = fresh(code).splitlines()
    for name in COMMANDS:
        assert any(line.startswith(f"  {name} ") for line in lines)
    assert set(modules.split()) == {
        "vigilar_core",
        "vigilar_core.cli",
        "vigilar_core.cli.lazy",
        "vigilar_core.cli.root",
        "vigilar_core.errors",
    }


def test_the_version_is_told() -> None:
    assert run("--version").output == f"vigilar, version {__version__}\n"


def test_the_module_can_be_started_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vigilar_core.cli", "--version"], capture_output=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, f"vigilar, version {__version__}\n".encode())


def test_an_unknown_command_is_a_mistake_of_use() -> None:
    result = run("strat")
    assert result.exit_code == 2
    assert "strat" in result.output


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (
            ConfigurationError([Problem("a.b", "wrong", "right"), Problem("c", "gone")]),
            ExitCode.CONFIGURATION,
            ["error: a.b: wrong (right)", "error: c: gone"],
        ),
        (NotReadyError("wait"), ExitCode.LATER, ["error: wait"]),
        (PermanentError("never"), ExitCode.BOOT, ["error: never"]),
    ],
)
def test_an_error_of_its_own_is_a_message_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: VigilarError, code: int, lines: list[str]
) -> None:
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(lazy, "_load", lambda _target: failing)
    result = run("status")
    assert result.exit_code == code
    assert result.stderr.splitlines() == lines
    assert result.stdout == ""


def test_a_surprise_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def failing() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(lazy, "_load", lambda _target: failing)
    assert isinstance(run("status").exception, ZeroDivisionError)


def points(monkeypatch: pytest.MonkeyPatch, **commands: str) -> None:
    """Pretend that a package brings these commands, and the plugin ``bells``."""
    package = SimpleNamespace(name="vigilar-bells")

    def entry_points(*, group: str) -> list[EntryPoint]:
        values = commands if group == "vigilar.commands" else {"bells": "vigilar_bells"}
        found = [EntryPoint(name, value, group) for name, value in values.items()]
        for point in found:
            vars(point).update(dist=package)
        return found

    monkeypatch.setattr(lazy, "entry_points", entry_points)


def test_commands_of_plugins_are_listed_with_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    points(monkeypatch, ring="nowhere:ring")
    assert "ring  Of vigilar-bells." in run("--help").output


def test_a_command_of_a_plugin_is_imported_when_it_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ringing.py").write_text(
        "import click\n@click.command()\ndef ring(): click.echo('ding')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    points(monkeypatch, ring="ringing:ring")
    assert run("ring").output == "ding\n"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module", "ModuleNotFoundError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("ring = 3", "is not a click command"),
        ("", "AttributeError"),
    ],
)
def test_a_broken_command_harms_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, reason: str
) -> None:
    (tmp_path / "ringing.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "ringing", raising=False)
    points(monkeypatch, ring="ringing:ring")
    result = run("ring")
    assert result.exit_code == ExitCode.BOOT
    assert reason in result.stderr
    assert run("--help").exit_code == 0
    monkeypatch.delitem(sys.modules, "ringing", raising=False)


def test_a_command_of_a_plugin_never_hides_one_of_the_core(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points(monkeypatch, config="nowhere:config")
    assert "Check, show and edit the configuration." in run("config", "--help").output


@pytest.mark.parametrize("way", ["option", "joined", "variable"])
def test_a_command_of_a_disabled_plugin_is_not_imported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    path = tmp_path / "v.toml"
    path.write_text('[plugins]\ndisabled = ["bells"]\n')
    points(monkeypatch, ring="no_such_module:ring")
    monkeypatch.setenv("VIGILAR_CONFIG", str(path) if way == "variable" else "/nonexistent")
    option = {"option": ["--config", str(path)], "joined": [f"--config={path}"], "variable": []}
    result = run("ring", *option[way])
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "vigilar plugins enable bells" in result.stderr
