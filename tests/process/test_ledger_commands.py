"""``vigilar db`` and ``vigilar events`` on a real installation, running and not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vigilar_core.testing import Installation, eventually

ROOT = Path(__file__).parents[2]
#: Whatever is installed stays out of these tests.
ONLY_THE_CORE = """
[plugins]
disabled = ["camera-rtsp", "hello", "live", "motion", "recorder", "web"]
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    """An installation of the core alone, not started."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = Installation(tmp_path / "v", ONLY_THE_CORE, environment=environment)
    yield found
    found.stop(30)


def test_a_database_is_made_checked_copied_and_found_damaged(house: Installation) -> None:
    assert house.run("db", "check", check=False).returncode == 75
    steps = json.loads(house.run("db", "migrate", "--json").stdout)
    assert {"part": "core", "from": None, "to": "core_0001"} in steps
    assert json.loads(house.run("db", "check", "--json").stdout) == {
        "damage": [],
        "migrations_due": [],
    }
    copy = Path(house.run("db", "snapshot").stdout.strip())
    assert copy.read_bytes().startswith(b"SQLite format 3\0")
    database = house.folder / "data" / "vigilar.db"
    data = bytearray(database.read_bytes())
    data[4096:8192] = bytes(range(256)) * 16
    database.write_bytes(data)
    found = house.run("db", "check", check=False)
    assert (found.returncode, found.stdout.startswith("damaged:")) == (1, True)


def tail(house: Installation, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "vigilar_core.cli", "events", "tail", *arguments]
    return subprocess.Popen(
        [*command, "--config", str(house.config)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_events_are_followed_listed_and_read_after_everything_has_ended(
    house: Installation,
) -> None:
    with tail(house, "--json", "--after", "0", "--kind", "ledger_started") as follower:
        assert follower.stdout is not None
        house.start()
        event = json.loads(follower.stdout.readline())
        follower.terminate()
    assert (event["kind"], event["source"], event["data"]) == (
        "ledger_started",
        "ledger",
        {"head": 0},
    )

    def listed() -> list[str]:
        page = json.loads(house.run("events", "list", "--json").stdout)
        return [each["kind"] for each in page["events"]]

    eventually(lambda: "service_started" in listed(), within_s=30, what="events of the supervisor")
    assert house.stop(30) == 0
    with tail(house, "--after", "0") as reader:
        assert reader.stdout is not None
        assert any("Event ledger started" in reader.stdout.readline() for _ in range(3))
        reader.terminate()


def test_a_made_up_cursor_is_told_apart_from_a_page(house: Installation) -> None:
    house.run("db", "migrate")
    found = house.run("events", "list", "--before", "made-up", check=False)
    assert found.returncode == 2
    assert "no cursor" in found.stderr
