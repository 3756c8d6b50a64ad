"""One camera watched from its network cable to the browser, with every process real."""

from __future__ import annotations

import hashlib
import io
import itertools
import shutil
import subprocess
import time
from pathlib import Path

import av
import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import House
from vigilar_core.recording_file import open_recording
from vigilar_core.testing import eventually

pytestmark = [pytest.mark.rtsp, pytest.mark.browser, pytest.mark.xdist_group("house")]


@pytest.fixture(scope="module")
def recording(house: House) -> dict[str, object]:
    """The row of a recording that a movement has caused."""
    eventually(lambda: _online_s(house) > 6, within_s=20, what="the packet ring is full")
    before = house.newest()
    house.camera.pulse()
    eventually(lambda: house.after(before, "motion_start"), within_s=8, what="motion starts")
    eventually(lambda: house.after(before, "motion_end"), within_s=20, what="motion ends")
    (sealed, *_) = eventually(
        lambda: house.after(before, "recording_sealed"), within_s=20, what="recording sealed"
    )
    assert sealed is not None
    row = house.rows("SELECT * FROM recordings WHERE sealed ORDER BY start_time_us DESC LIMIT 1")
    return dict(row[0]._mapping)


def _online_s(house: House) -> float:
    """How long the camera has been there, seconds."""
    (since,) = house.rows("SELECT max(time_us) FROM events WHERE kind = 'camera_online'")
    return time.time() - int(str(since[0])) / 1e6


def test_a_movement_becomes_an_event_and_a_recording(recording: dict[str, object]) -> None:
    assert recording["camera"] == "hall"


def test_the_file_is_what_its_row_says(house: House, recording: dict[str, object]) -> None:
    path = house.vigilar.folder / "recordings" / str(recording["path"])
    assert path.stat().st_size == recording["size_bytes"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == recording["sha256"]
    assert b"ftyp" not in path.read_bytes()


def test_the_recording_holds_the_pre_roll_and_every_picture(
    house: House, recording: dict[str, object]
) -> None:
    path = house.vigilar.folder / "recordings" / str(recording["path"])
    with open_recording(path, house.vigilar.storage_key) as file:
        data = file.read()
    with av.open(io.BytesIO(data)) as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(steps) < 0.1
    (start,) = house.rows(
        "SELECT time_us FROM events WHERE kind = 'motion_start' AND time_us > :begin "
        "ORDER BY sequence LIMIT 1",
        begin=recording["start_time_us"],
    )
    assert (int(str(start[0])) - int(str(recording["start_time_us"]))) / 1e6 >= 3


def test_an_export_is_an_ordinary_file_that_seeks(
    house: House, recording: dict[str, object], tmp_path: Path
) -> None:
    target = tmp_path / "export.mp4"
    house.vigilar.run("recordings", "export", str(recording["id"]), str(target))
    probe = shutil.which("ffprobe") or "ffprobe"
    said = subprocess.run(
        [probe, "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(target)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert float(said.stdout) > 5
    assert said.stderr == ""


def shows(page: Page, expression: str, within_s: float = 20.0) -> object:
    """Wait until an expression is true in the page; its policy forbids Playwright's own way."""
    return eventually(lambda: page.evaluate(expression), within_s=within_s, what=expression)


def test_the_browser_plays_and_seeks_a_recording(
    house: House, recording: dict[str, object], page: Page
) -> None:
    page.goto(f"{house.url}/recordings/{recording['id']}")
    shows(page, "document.querySelector('video')?.readyState >= 2")
    duration = float(str(page.evaluate("document.querySelector('video').duration")))
    assert duration > 5
    page.evaluate(f"document.querySelector('video').currentTime = {duration - 1}")
    shows(
        page,
        f"(v => !v.seeking && v.readyState >= 2 && v.currentTime > {duration - 1.5})"
        "(document.querySelector('video'))",
    )


def test_the_live_picture_plays_by_fragments(house: House, page: Page) -> None:
    page.goto(f"{house.url}/live/hall")
    shows(page, "document.querySelector('video').currentTime > 1")
    shows(page, "document.querySelector('.live-badge').textContent === 'live'")


def test_a_new_event_appears_without_reloading(house: House, page: Page) -> None:
    page.goto(f"{house.url}/events/")
    shows(page, "document.querySelector('[data-feed-state]').textContent === 'Live'")
    count = "document.querySelectorAll('li.event').length"
    before = page.evaluate(count)
    house.camera.pulse()
    shows(page, f"{count} > {before}")
