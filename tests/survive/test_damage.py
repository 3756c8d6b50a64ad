"""Damaged recordings and a damaged database: found, said, and never taken for whole."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.survive.house import House, rows_of
from tests.survive.visitor import Visitor, administrator
from vigilar_core.testing import Installation, eventually

pytestmark = [pytest.mark.rtsp, pytest.mark.timeout(240)]


def finished_recording(house: House) -> dict[str, Any]:
    """A sealed recording: the camera goes away and comes back."""
    recording = house.open_recording()
    house.camera.cut()
    sealed = house.sealed(recording["id"])
    house.camera.restore()
    return sealed


def flip(data: bytearray) -> None:
    """One bit somewhere in the video."""
    chance = random.Random(4)
    data[chance.randrange(4096, len(data))] ^= 1 << chance.randrange(8)


def truncate(data: bytearray) -> None:
    del data[len(data) * 2 // 3 :]


def overwrite(data: bytearray) -> None:
    data[4096 : 4096 + 512] = bytes(512)


def checked(house: House) -> tuple[int, dict[str, str]]:
    answer = house.vigilar.run("recordings", "check", "--json", check=False)
    return answer.returncode, {each["path"]: each["finding"] for each in json.loads(answer.stdout)}


def refused_by_the_player(visitor: Visitor, address: str) -> None:
    """The player gets a page that says so, or the connection breaks where the damage begins."""
    try:
        answer = visitor.get(address)
    except requests.exceptions.ChunkedEncodingError:
        return
    assert answer.status_code == 500
    assert "cannot be played" in answer.text
    assert "Traceback" not in answer.text


def test_damage_of_every_kind_is_found_by_the_check_and_refused_by_the_player(
    house: House,
) -> None:
    sound = finished_recording(house)
    path = house.path(sound)
    whole = path.read_bytes()
    assert checked(house) == (0, {}), "nothing is wrong beforehand"
    with administrator(house.vigilar, house.port) as admin:
        address = f"/recordings/{sound['id']}/video.mp4"
        eventually(lambda: admin.get(address).status_code == 200)
        for damage in (flip, truncate, overwrite):
            data = bytearray(whole)
            damage(data)
            path.write_bytes(bytes(data))
            assert checked(house) == (1, {sound["path"]: "damaged"}), damage.__name__
            refused_by_the_player(admin, address)
        path.write_bytes(whole)
        assert checked(house) == (0, {})
        assert admin.get(address).status_code == 200


def test_a_damaged_recording_is_not_exported_as_if_it_were_whole(
    house: House, tmp_path: Path
) -> None:
    sound = finished_recording(house)
    whole = house.path(sound).read_bytes()
    data = bytearray(whole)
    data[len(data) // 2] ^= 1
    house.path(sound).write_bytes(bytes(data))
    target = tmp_path / "export.mp4"
    refused = house.vigilar.run("recordings", "export", sound["id"], str(target), check=False)
    assert refused.returncode != 0
    assert not target.exists()
    assert "Traceback" not in refused.stderr
    house.path(sound).write_bytes(whole)
    house.vigilar.run("recordings", "export", sound["id"], str(target))
    assert target.stat().st_size > len(whole) // 2


ONLY = ("--only", "broker,ledger")


def stored(vigilar: Installation) -> list[dict[str, Any]]:
    """All events; none while there is no table or nothing to read."""
    try:
        database = vigilar.folder / "data" / "vigilar.db"
        return rows_of(database, "SELECT * FROM events ORDER BY sequence")
    except sqlite3.DatabaseError:
        return []


def run_once(vigilar: Installation) -> None:
    """Start it, wait until it has told so, stop it."""
    known = {row["id"] for row in stored(vigilar)}

    def told() -> bool:
        return any(
            row["kind"] == "ledger_started" and row["id"] not in known for row in stored(vigilar)
        )

    vigilar.start(*ONLY)
    try:
        vigilar.running(within_s=60)
        eventually(told, within_s=90, what="it tells that it has started")
    finally:
        assert vigilar.stop() == 0


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    vigilar = Installation(tmp_path_factory.mktemp("original"))
    run_once(vigilar)
    return vigilar


@pytest.fixture
def stopped_vigilar(original: Installation, tmp_path: Path) -> Installation:
    """An installation that ran and holds some events; it does not run now."""
    vigilar = Installation(tmp_path / "v")
    for name in ("data", "secrets"):
        shutil.copytree(
            original.folder / name, vigilar.folder / name, dirs_exist_ok=True, symlinks=True
        )
    return vigilar


def test_a_damaged_database_is_set_aside_told_and_goes_on_with_higher_numbers(
    stopped_vigilar: Installation,
) -> None:
    data_dir = stopped_vigilar.folder / "data"
    database = data_dir / "vigilar.db"
    before = stored(stopped_vigilar)
    content = bytearray(database.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 8192] = random.Random(1).randbytes(8192)
    database.write_bytes(bytes(content))

    run_once(stopped_vigilar)
    after = stored(stopped_vigilar)
    (damaged,) = [row for row in after if row["kind"] == "database_damaged"]
    told = json.loads(damaged["data"])
    assert Path(told["moved_to"]).read_bytes() == bytes(content), "nothing is thrown away"
    assert damaged["sequence"] > before[-1]["sequence"]
    numbers = {row["sequence"]: row["id"] for row in before}
    assert all(numbers.get(row["sequence"], row["id"]) == row["id"] for row in after), (
        "no number is given twice"
    )
    assert "the database is damaged" in stopped_vigilar.log.read_text()


def test_a_database_of_noise_and_one_that_is_gone_are_never_silently_empty(
    stopped_vigilar: Installation,
) -> None:
    database = stopped_vigilar.folder / "data" / "vigilar.db"
    known = {row["id"]: row["sequence"] for row in stored(stopped_vigilar)}
    for make in (
        lambda: database.write_bytes(random.Random(2).randbytes(100_000)),
        lambda: database.unlink(),
    ):
        make()
        run_once(stopped_vigilar)
        after = stored(stopped_vigilar)
        fresh = [row for row in after if row["id"] not in known]
        assert [row["kind"] for row in fresh].count("database_damaged") == 1
        assert min(row["sequence"] for row in fresh) > max(known.values())
        known |= {row["id"]: row["sequence"] for row in fresh}


def test_control_a_sound_database_is_left_alone(stopped_vigilar: Installation) -> None:
    data_dir = stopped_vigilar.folder / "data"
    before = stored(stopped_vigilar)
    run_once(stopped_vigilar)
    after = stored(stopped_vigilar)
    assert {row["id"] for row in before} <= {row["id"] for row in after}
    assert "database_damaged" not in {row["kind"] for row in after}
    assert not list(data_dir.glob("*.damaged-*"))


def test_a_second_vigilar_with_folders_of_its_own_but_the_same_data_is_refused(
    stopped_vigilar: Installation, tmp_path: Path
) -> None:
    stopped_vigilar.start(*ONLY)
    try:
        stopped_vigilar.running(within_s=60)
        other = Installation(tmp_path / "other")
        text = other.config.read_text()
        shared = f"{stopped_vigilar.folder}/data"
        other.config.write_text(text.replace(f"{other.folder}/data", shared))
        refused = other.run("start", *ONLY, check=False)
        assert refused.returncode == 3
        assert stopped_vigilar.process is not None
        assert str(stopped_vigilar.process.pid) in refused.stderr
        assert "data_dir" in refused.stderr
        stopped_vigilar.running()
    finally:
        stopped_vigilar.stop()
