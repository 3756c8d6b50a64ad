"""Attack class 3: metacharacters in every free text, in folders and in file names, of a running
Vigilar."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.survive.house import clips, free_port, rows_of
from tests.survive.visitor import Visitor
from vigilar_core.config.hashes import hash_password
from vigilar_core.testing import Installation, eventually

PASSWORD: Final = "$(touch marker-9) `touch marker-10`;|&"
_CONFIGURATION = """
[web]
host = "127.0.0.1"
port = {port}
tls = false
username = {name}
password_hash = "{hash}"

[[cameras]]
id = "hall"
display_name = {name}
rtsp_url = {url}
record_on_motion = false
record_continuous = true
continuous = "full"
options = {{ user_agent = "x (touch marker-8)", ca_file = "/no -i such file" }}
"""


def bite(number: int) -> str:
    """A name that makes a file ``marker-N`` in any shell that reads it unquoted."""
    touch = f"touch marker-{number}"
    return f"-i a;{touch};';{touch};'$({touch})`{touch}` & #*~ %s?"


@dataclass
class Bitten:
    """An installation every name of which bites, started in a folder that shows it."""

    vigilar: Installation
    folder: Path
    port: int

    def markers(self) -> list[Path]:
        return list(self.folder.rglob("marker-*"))


@pytest.fixture(scope="module")
def bitten(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bitten]:
    folder, port = tmp_path_factory.mktemp("bitten"), free_port()
    clip = folder / f"{bite(1)}.mp4"
    shutil.copy(clips()["small"], clip)
    place = folder / bite(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        name = json.dumps(bite(3)[:64])
        vigilar = Installation(
            place,
            _CONFIGURATION.format(
                port=port, name=name, url=json.dumps(f"file:{clip}"),
                hash=hash_password(PASSWORD, salt=bytes(16)),
            ),
        )  # fmt: skip
        text = vigilar.config.read_text()
        vigilar.config.write_text(text.replace("[system]\n", f"[system]\nname = {name}\n"))
        with vigilar:
            vigilar.running(within_s=90)
            yield Bitten(vigilar, folder, port)


def test_class_3_nothing_of_a_configuration_is_run(bitten: Bitten) -> None:
    database = bitten.vigilar.folder / "data" / "vigilar.db"
    question = "SELECT * FROM recordings WHERE NOT sealed"
    eventually(lambda: rows_of(database, question), within_s=30, what="the camera is recorded")
    with Visitor(bitten.port) as visitor:
        answer = visitor.post("/sign-in", name=bite(3)[:64], password=PASSWORD)
        assert answer.status_code == 200
        assert "touch marker-3" in visitor.get("/live/hall").text
        eventually(lambda: visitor.get("/live/hall/picture.jpg").status_code == 200, within_s=20)
    assert bitten.markers() == []


def test_class_3_nothing_of_an_argument_is_run(bitten: Bitten) -> None:
    run = bitten.vigilar.run
    assert run("config", "show").returncode == 0
    assert run("status").returncode == 0
    assert "camera/hall" in run("events", "list").stdout
    for arguments in (
        ("recordings", "export", bite(4), str(bitten.folder / f"{bite(5)}.mp4")),
        ("recordings", "list", "--camera", bite(6)),
        ("plugins", "show", bite(7)),
        ("web", "add-user", "--no-password", bite(7)),
    ):
        said = run(*arguments, check=False)
        assert "Traceback" not in said.stderr, arguments
    assert bitten.markers() == []


def test_class_3_control_a_shell_would_leave_its_mark(tmp_path: Path) -> None:
    for number in range(1, 8):
        subprocess.run(f"ls {bite(number)}", shell=True, cwd=tmp_path, capture_output=True)
        assert (tmp_path / f"marker-{number}").exists()
