"""Attack class 15: secrets of a running Vigilar stand nowhere but where they belong."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tests.security.assembled import ENDLESS, Assembled
from tests.security.estate import LOGIN, Estate

pytestmark = pytest.mark.rtsp


def leaks(estate: Estate, *texts: bytes | str) -> set[str]:
    """Names of the secrets that stand in one of these texts."""
    data = [text.encode() if isinstance(text, str) else text for text in texts]
    return {name for name, value in estate.canaries().items() if any(value in d for d in data)}


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def test_control_the_secrets_are_found_where_they_belong(estate: Estate) -> None:
    folder = estate.vigilar.folder
    assert leaks(estate, estate.vigilar.config.read_bytes()) >= {
        "camera's password", "camera's user", "password hash", "PIN hash",
    }  # fmt: skip
    assert leaks(estate, (folder / "secrets" / "bus.key").read_bytes()) == {"bus.key"}
    assert leaks(estate, LOGIN.password) == {"camera's password"}


def test_class_15_no_process_carries_a_secret_in_its_arguments_or_environment(
    estate: Estate,
) -> None:
    processes = estate.house.processes()
    assert len(processes) >= 8
    for process in processes:
        for name in ("cmdline", "environ"):
            assert leaks(estate, Path(f"/proc/{process.pid}/{name}").read_bytes()) == set()


def test_class_15_no_log_no_command_and_no_message_shows_a_secret(estate: Estate) -> None:
    run = estate.vigilar.run
    commands = (
        ("config", "show"), ("config", "validate"), ("status",), ("status", "--json"),
        ("plugins", "list"), ("events", "list", "--limit", "500", "--json"),
        ("recordings", "list"), ("recordings", "check"),
    )  # fmt: skip
    for command in commands:
        said = run(*command, check=False)
        assert said.stdout + said.stderr
        assert leaks(estate, said.stdout, said.stderr) == set(), command
    assert "online" in estate.vigilar.log.read_text(), "the log is a real one"
    assert leaks(estate, estate.vigilar.log.read_bytes()) == set()


def test_class_15_a_configuration_that_is_refused_does_not_repeat_its_secrets(
    estate: Estate, tmp_path: Path
) -> None:
    text = estate.vigilar.config.read_text()
    broken = tmp_path / "broken.toml"
    broken.touch(mode=0o600)
    for wrong in (
        text.replace("rtsp://", "rstp://"),
        text + "rtsp_timeout_ms = 'x'\nwrong_key = 1\n",
        text.replace('password_hash = "', 'password_hash = 7 # "'),
        text + "[[[\n",
    ):
        broken.write_text(wrong)
        estate_config, estate.vigilar.config = estate.vigilar.config, broken
        try:
            said = estate.vigilar.run("config", "validate", check=False)
        finally:
            estate.vigilar.config = estate_config
        assert said.returncode == 78
        assert leaks(estate, said.stdout, said.stderr) == set()


def test_class_15_no_answer_of_any_route_shows_a_secret(
    estate: Estate, assembled: Assembled
) -> None:
    admin, asked = estate.administrator(), 0
    recording = estate.recording("hall")
    for rule in assembled.routes():
        if rule.endpoint in ENDLESS or "GET" not in (rule.methods or ()):
            continue
        path = assembled.path(rule).replace(assembled.recordings["hall"], recording)
        answer = admin.get(path)
        headers = json.dumps(dict(answer.headers))
        assert leaks(estate, answer.content, headers) == set(), path
        asked += answer.status_code == 200
    assert asked >= 20


def test_class_15_nothing_kept_on_disk_holds_a_secret_in_clear(estate: Estate) -> None:
    folder = estate.vigilar.folder
    kept = [
        path for name in ("data", "run", "hls", "recordings") for path in files_below(folder / name)
    ]
    assert len(kept) > 8
    found = {str(path.relative_to(folder)): leaks(estate, path.read_bytes()) for path in kept}
    assert {name: secrets for name, secrets in found.items() if secrets} == {}


def test_class_16_what_must_be_private_is_readable_by_its_owner_alone(estate: Estate) -> None:
    folder = estate.vigilar.folder
    private = [*files_below(folder / "secrets"), folder / "run" / "broker"]
    private += [folder / "data" / f"vigilar.db{part}" for part in ("", "-wal", "-shm")]
    private += [*files_below(folder / "recordings"), folder / "run" / "supervisor.sock"]
    assert len(private) >= 8
    for path in private:
        mode = stat.S_IMODE(os.stat(path).st_mode)
        assert mode & 0o007 == 0, f"{path} has mode {mode:o}"
