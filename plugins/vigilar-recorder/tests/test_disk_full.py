"""A full disk, on a small file system of the test's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vigilar_core.testing.clip import make_clip
from vigilar_recorder.attempts import RETRY_S
from vigilar_recorder.settings import CameraRecording

Make = Callable[..., Any]
SIZE_MB = 24


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "recordings"
    folder.mkdir()
    options = f"size={SIZE_MB}m"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def leave_free(folder: Path, size_bytes: int) -> Path:
    disk = os.statvfs(folder)
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(disk.f_bavail * disk.f_frsize - size_bytes))
    return ballast


def test_a_full_disk_stops_the_recording_and_its_return_resumes_it(
    small_disk: Path, bench: Make
) -> None:
    it = bench(CameraRecording(pre_motion_buffer_s=2, post_motion_buffer_s=3))
    clip = make_clip(70, width=320, height=240, fps=10)
    ballast = leave_free(small_disk, 80_000)

    def give_room() -> None:
        assert len(it.events("started")) == 1, "no attempt while there is no room"
        ballast.unlink()

    it.connect(clip)
    it.feed(
        clip,
        at={
            4.0: lambda: it.motion("start"),
            20.0: lambda: it.wait("failed"),
            22.0 + 2 * RETRY_S: give_room,
            65.0: lambda: it.motion("end"),
        },
    )
    (failed,) = it.events("failed")
    kept, resumed = it.wait("sealed", 2)
    assert failed["cause"] == "disk_full"
    assert (kept["id"], kept["ended_by"]) == (failed["id"], "failed")
    assert len(it.pictures(kept)) > 12
    assert it.events("resumed") == [{"after": "disk_full"}]
    assert resumed["ended_by"] == "post_roll"
    assert len(it.pictures(resumed)) == round(resumed["duration_s"] * 10)
    begun_s = (resumed["start_time_us"] - 1_767_225_600_000_000) / 1e6
    assert begun_s <= 22 + 3 * RETRY_S


def test_a_disk_without_room_for_anything_leaves_no_litter(small_disk: Path, bench: Make) -> None:
    it = bench(CameraRecording(pre_motion_buffer_s=2))
    clip = make_clip(6)
    leave_free(small_disk, 8192)
    it.connect(clip)
    it.feed(clip, at={3.0: lambda: it.motion("start")})
    it.wait("failed")
    it.close()
    files = [path.name for path in small_disk.rglob("*") if path.is_file()]
    assert files == ["ballast"]


def test_the_same_disk_with_room_records(small_disk: Path, bench: Make) -> None:
    it = bench(CameraRecording(pre_motion_buffer_s=2, post_motion_buffer_s=3))
    clip = make_clip(10)
    it.connect(clip)
    it.feed(clip, at={3.0: lambda: it.motion("start"), 4.0: lambda: it.motion("end")})
    it.wait("sealed")
    assert not it.events("failed")
