"""The commands, run over recordings that the real recorder made."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from vigilar_core.events import Event
from vigilar_core.store.engine import open_engine, store_url, writing
from vigilar_core.store.migrate import migrate
from vigilar_core.testing import eventually
from vigilar_core.testing.clip import make_clip
from vigilar_recorder.commands import recordings
from vigilar_recorder.register import Register
from vigilar_recorder.settings import CameraRecording
from vigilar_recorder.tables import DISTRIBUTION, TABLES

KEY = bytes(range(32))


class Home:
    """An installation with a configuration file, a key and one recording."""

    def __init__(self, folder: Path, bench: Callable[..., Any]) -> None:
        self.bench = bench(CameraRecording(pre_motion_buffer_s=1, post_motion_buffer_s=1))
        self.paths = self.bench.camera.paths
        self.root = self.paths.recordings_dir
        engine = open_engine(store_url(self.paths.data_dir))
        migrate(engine, [(DISTRIBUTION, TABLES)], snapshots_dir=None, time_us=0)
        self.register = Register(engine)
        self.engine = engine
        self.bench.bus.subscribe_events(self._project)
        key_file = self.paths.secrets_dir / "storage.key"
        key_file.write_bytes(KEY)
        key_file.chmod(0o600)
        self.config = folder / "vigilar.toml"
        folders = ("data_dir", "recordings_dir", "hls_dir", "runtime_dir", "secrets_dir")
        lines = [f'{name} = "{getattr(self.paths, name)}"' for name in folders]
        cameras = '[[cameras]]\nid = "hall"\n'
        storage = f'[storage]\nkey_file = "{key_file}"\n'
        self.config.write_text("\n".join(["[system]", *lines, storage, cameras]))

    def _project(self, event: Event) -> None:
        with writing(self.engine) as connection:
            for projection in TABLES.projections:
                if event.kind in projection.kinds:
                    projection.apply(connection, event)

    def record(self, **options: Any) -> dict[str, Any]:
        clip = make_clip(6, **options)
        self.bench.connect(clip)
        count = len(self.bench.events("sealed"))
        actions = {2.0: lambda: self.bench.motion("start"), 3.0: lambda: self.bench.motion("end")}
        self.bench.feed(clip, at=actions)
        return self.bench.wait("sealed", count + 1)[-1]  # type: ignore[no-any-return]

    def run(self, command: str, *arguments: str) -> Result:
        options = [command, *arguments, "--config", str(self.config)]
        return CliRunner().invoke(recordings, options)

    def check(self, *arguments: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self.run("check", "--json", *arguments).stdout)
        return found


@pytest.fixture
def home(tmp_path: Path, bench: Callable[..., Any]) -> Home:
    return Home(tmp_path, bench)


def boxes(path: Path) -> list[str]:
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        found.append(data[at + 4 : at + 8].decode())
        at += int.from_bytes(data[at : at + 4], "big")
    return found


def test_the_list_shows_what_there_is(home: Home) -> None:
    sealed = home.record()
    result = home.run("list")
    assert sealed["id"] in result.output
    assert "0:03" in result.output
    (row,) = json.loads(home.run("list", "--json").stdout)
    assert row["sha256"] == sealed["sha256"]
    assert home.run("list", "--camera", "nobody").output.count("\n") == 1


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_an_export_is_an_ordinary_mp4_with_its_index_in_front(
    home: Home, tmp_path: Path, codec: str
) -> None:
    sealed = home.record(codec=codec, audio="aac", b_frames=2)
    target = tmp_path / "out.mp4"
    result = home.run("export", sealed["id"], str(target))
    assert result.exit_code == 0, result.output
    assert boxes(target)[:2] == ["ftyp", "moov"]
    assert "moof" not in boxes(target)
    assert target.stat().st_mode & 0o777 == 0o600
    with av.open(str(target)) as container:
        assert container.streams.video[0].frames == round(sealed["duration_s"] * 25)
        assert sum(1 for _ in container.decode(video=0)) == round(sealed["duration_s"] * 25)
        assert container.streams.audio[0].codec_context.name == "aac"
    with av.open(str(target)) as container:
        container.seek(2_000_000)
        frame = next(container.decode(video=0))
        assert frame.time is not None
        assert 0.9 <= frame.time <= 2.1


def test_an_export_never_overwrites(home: Home, tmp_path: Path) -> None:
    sealed = home.record()
    target = tmp_path / "mine.mp4"
    target.write_text("precious")
    result = home.run("export", sealed["id"], str(target))
    assert result.exit_code != 0
    assert target.read_text() == "precious"


def test_a_failed_export_leaves_nothing(home: Home, tmp_path: Path) -> None:
    sealed = home.record()
    path = home.root / sealed["path"]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    folder = tmp_path / "exports"
    folder.mkdir()
    assert home.run("export", sealed["id"], str(folder / "out.mp4")).exit_code != 0
    assert list(folder.iterdir()) == []


def test_play_writes_the_video_to_standard_output(home: Home) -> None:
    sealed = home.record()
    code = "from vigilar_recorder.commands import recordings; recordings()"
    done = subprocess.run(
        [sys.executable, "-c", code, "play", sealed["id"][:36], "--config", str(home.config)],
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with av.open(io.BytesIO(done.stdout)) as container:
        assert sum(1 for _ in container.decode(video=0)) == round(sealed["duration_s"] * 25)


def test_a_recording_of_the_older_format_can_be_exported(home: Home, tmp_path: Path) -> None:
    sealed = home.record()
    plain = home.bench.mp4(sealed)
    start = bytes(range(16))
    cipher = Cipher(AES(KEY), CTR(start)).encryptor()
    legacy = tmp_path / "legacy.vge"
    legacy.write_bytes(start + cipher.update(plain))
    result = home.run("export", str(legacy), str(tmp_path / "legacy.mp4"))
    assert result.exit_code == 0, result.output
    with av.open(str(tmp_path / "legacy.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == round(sealed["duration_s"] * 25)


def test_an_unknown_or_ambiguous_id_is_refused(home: Home) -> None:
    home.record()
    home.record()
    for recording in ("nothing", "0"):
        assert home.run("star", recording).exit_code != 0
    assert not any(row.starred for row in home.register.all())


def test_star_keeps_and_lets_go(home: Home) -> None:
    sealed = home.record()
    home.run("star", sealed["id"])
    assert home.register.all()[0].starred
    home.run("star", sealed["id"], "--remove")
    assert not home.register.all()[0].starred


def test_delete_asks_and_then_removes_the_file(home: Home) -> None:
    sealed = home.record()
    path = home.root / sealed["path"]
    assert (
        CliRunner()
        .invoke(recordings, ["delete", sealed["id"], "-c", str(home.config)], input="n\n")
        .exit_code
    )
    assert path.exists()
    assert home.run("delete", sealed["id"], "--yes").exit_code == 0
    assert not path.exists()
    assert home.register.get(sealed["id"]) is None


def test_check_finds_nothing_wrong_with_what_is_right(home: Home) -> None:
    home.record()
    result = home.run("check")
    assert result.exit_code == 0
    assert "whole" in result.output


@pytest.mark.parametrize("what", ["file", "row", "flip", "cut", "thumbnail", "mark"])
def test_check_finds_what_is_wrong(home: Home, what: str) -> None:
    sealed = home.record()
    path = home.root / sealed["path"]
    if what == "file":
        path.unlink()
    elif what == "row":
        home.register.remove_rows([sealed["id"]])
    elif what == "flip":
        data = bytearray(path.read_bytes())
        data[len(data) // 3] ^= 1
        path.write_bytes(bytes(data))
    elif what == "cut":
        path.write_bytes(path.read_bytes()[:-4096])
    elif what == "thumbnail":
        (home.root / sealed["thumbnail"]).rename(path.with_name(f"{'f' * 32}.vgt"))
    else:
        home.register.mark([sealed["id"]], "asked for", "ann")
    expected = {
        "file": {"missing file"},
        "row": {"unregistered", "stray thumbnail"},
        "flip": {"damaged"},
        "cut": {"damaged"},
        "thumbnail": {"stray thumbnail"},
        "mark": {"half deleted"},
    }[what]
    assert {each["finding"] for each in home.check()} == expected
    assert home.run("check").exit_code == 1


def test_repair_registers_a_recording_again_and_drops_a_row_without_a_file(home: Home) -> None:
    lost, orphan = home.record(), home.record()
    (home.root / lost["path"]).unlink()
    home.register.remove_rows([orphan["id"]])
    home.run("check", "--repair")
    (row,) = home.register.all()
    assert (row.id, row.camera, row.sealed) == (orphan["id"], "hall", True)
    assert (row.width, row.height, row.video_codec) == (160, 120, "h264")
    assert row.duration_s == pytest.approx(orphan["duration_s"], abs=0.05)
    assert row.sha256 == hashlib.sha256((home.root / row.path).read_bytes()).hexdigest()


def test_repair_seals_what_a_crash_left(home: Home) -> None:
    sealed = home.record()
    path = home.root / sealed["path"]
    path.write_bytes(path.read_bytes()[:-5000])
    home.register.note({"id": sealed["id"], "sealed": False, "end_time_us": None})
    assert [each["finding"] for each in home.check()] == ["unsealed"]
    home.run("check", "--repair")
    (row,) = home.register.all()
    assert row.sealed
    assert row.recovered
    assert home.check() == []


def test_a_recording_that_is_being_written_is_left_alone(home: Home) -> None:
    clip = make_clip(4)
    home.bench.connect(clip)
    home.bench.feed(clip, at={2.0: lambda: home.bench.motion("start")})
    (started,) = home.bench.events("started")
    eventually((home.root / started["path"]).exists)
    assert home.check("--repair") == []
    home.bench.close()
    assert home.check() == []


def test_without_the_key_nothing_is_called_whole(home: Home) -> None:
    home.record()
    (home.paths.secrets_dir / "storage.key").unlink()
    assert [each["finding"] for each in home.check()] == ["damaged"]
