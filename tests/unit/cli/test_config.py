"""``vigilar config`` as a person uses it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vigilar_core.cli import main
from vigilar_core.config import hashes
from vigilar_core.errors import ExitCode
from vigilar_core.plugins import plan

CANARIES = ("c4nary-mqtt", "c4nary-url", "c4nary-pin")
SECRETS = f"""\
# ours
[mqtt]
password = "{CANARIES[0]}"  # keep

[database]
url = "postgresql://me:{CANARIES[1]}@db/vigilar"

[security]
pin_hash = "{CANARIES[2]}"
"""


@pytest.fixture(autouse=True)
def core_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core without what else is installed here."""
    monkeypatch.setattr(plan, "installed", dict)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "vigilar.toml"
    path.write_text(SECRETS)
    path.chmod(0o640)
    return path


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["config", *map(str, arguments)], input=stdin)


def test_a_good_file_is_said_to_be_good(file: Path) -> None:
    file.write_text('[[cameras]]\nid = "yard"\n[[cameras]]\nid = "hall"\n')
    result = run("validate", "-c", file)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{file} can be used.\n  cameras: 2\n")
    assert result.stderr == ""


def test_every_problem_is_told_and_the_exit_code_is_78(file: Path) -> None:
    file.write_text('[system]\ntimezone = "Mars"\n[mqtt]\nport = 0\nhots = "x"\n[ups]\na = 1\n')
    result = run("validate", "-c", file)
    assert result.exit_code == ExitCode.CONFIGURATION == 78
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == [
        "mqtt.hots",
        "ups",
        "system.timezone",
        "mqtt.port",
    ]
    assert result.stdout == ""


def test_inline_secrets_are_warned_of_and_refused_in_an_open_file(file: Path) -> None:
    result = run("validate", "-c", file)
    assert result.exit_code == 0
    assert result.stderr.count("a secret stands in the file itself") == 3
    file.chmod(0o644)
    result = run("validate", "-c", file)
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "anybody on this machine may read the secrets in it" in result.stderr
    assert not [canary for canary in CANARIES if canary in result.output]


def test_what_is_shown_is_in_effect_and_masked(file: Path) -> None:
    result = run("show", "-c", file)
    assert result.exit_code == 0
    shown = json.loads(result.stdout)
    assert shown["mqtt"]["password"] == shown["security"]["pin_hash"] == "••••"
    assert shown["database"]["url"] == "postgresql://••••@db/vigilar"
    assert shown["mqtt"]["port"] == 1883
    assert shown["security"]["recovery_passphrase_hash"] == ""
    assert not [canary for canary in CANARIES if canary in result.output]


def test_a_secret_kept_elsewhere_is_masked_too(file: Path) -> None:
    secrets = file.parent / "secrets"
    secrets.mkdir(0o700)
    (secrets / "mqtt").write_text(CANARIES[0])
    (secrets / "mqtt").chmod(0o600)
    file.write_text(
        f'[system]\nsecrets_dir = "{secrets}"\n[mqtt]\npassword = {{secret = "mqtt"}}\n'
    )
    result = run("show", "-c", file)
    assert json.loads(result.stdout)["mqtt"]["password"] == "••••"
    assert CANARIES[0] not in result.output
    assert run("validate", "-c", file).stderr == ""


def test_what_can_be_shown_of_a_bad_file_is_shown(file: Path) -> None:
    file.write_text('[mqtt]\nport = 0\n[system]\nname = "Home"\n')
    result = run("show", "-c", file)
    assert result.exit_code == ExitCode.CONFIGURATION
    assert json.loads(result.stdout)["system"]["name"] == "Home"
    assert "mqtt.port: 0" in result.stderr


def test_the_schema_is_a_json_schema() -> None:
    schema = json.loads(run("schema").stdout)
    assert schema["properties"]["cameras"]["items"]["properties"]["id"]


@pytest.mark.parametrize(
    ("command", "value", "section", "key", "verify"),
    [
        ("set-password", "correct horse", "web", "password_hash", hashes.verify_password),
        ("set-pin", "482915", "security", "pin_hash", hashes.verify_pin),
        (
            "set-recovery-passphrase",
            "a long way home",
            "security",
            "recovery_passphrase_hash",
            hashes.verify_pin,
        ),
    ],
)
def test_a_line_to_paste_is_printed_and_nothing_else(
    command: str, value: str, section: str, key: str, verify: object
) -> None:
    result = run(command, stdin=f"{value}\n")
    assert result.exit_code == 0
    line = tomllib.loads(result.stdout)
    assert list(line) == [key]
    assert callable(verify)
    assert verify(value, line[key])
    assert f"[{section}]" in result.stderr
    assert value not in result.output


def test_on_request_the_line_is_put_into_the_file(file: Path) -> None:
    result = run("set-pin", "--write", "-c", file, stdin="482915\n")
    assert result.exit_code == 0
    tables = tomllib.loads(file.read_text())
    assert hashes.verify_pin("482915", tables["security"]["pin_hash"])
    assert "# ours" in file.read_text()
    assert "# keep" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_hash_is_not_written_into_a_file_that_everybody_reads(file: Path) -> None:
    file.write_text("")
    file.chmod(0o644)
    result = run("set-pin", "--write", "-c", file, stdin="482915\n")
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "chmod 0640" in result.stderr
    assert file.read_text() == ""


def test_a_section_of_an_absent_plugin_is_not_written(file: Path) -> None:
    before = file.read_text()
    result = run("set-password", "--write", "-c", file, stdin="correct horse\n")
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "vigilar-web" in result.stderr
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("command", "value"),
    [
        ("set-pin", "123"),
        ("set-pin", "12a4"),
        ("set-pin", "1234567890123"),
        ("set-pin", "١٢٣٤"),
        ("set-pin", ""),
        ("set-password", "short"),
        ("set-recovery-passphrase", "too short"),
    ],
)
def test_what_is_too_weak_or_no_pin_is_refused(command: str, value: str) -> None:
    result = run(command, stdin=f"{value}\n")
    assert result.exit_code == 2
    assert "_hash" not in result.stdout
