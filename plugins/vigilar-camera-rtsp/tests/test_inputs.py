"""Sources that need no network: a file in a loop, and pictures of a device."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from vigilar_camera_rtsp.cause import Cause, SourceError
from vigilar_camera_rtsp.device_input import DeviceInput
from vigilar_camera_rtsp.file_input import FileInput
from vigilar_camera_rtsp.parameter_sets import is_complete, parameter_sets
from vigilar_camera_rtsp.settings import CameraSource
from vigilar_core.testing import FakeClock


@pytest.mark.parametrize("name", ["sub", "hevc", "main", "alaw"])
def test_the_loop_of_a_file_has_no_seam(clips: dict[str, Path], name: str) -> None:
    source = FileInput(clips[name], audio=True, monotonic_s=lambda: 0.0)
    units = [source.read() for _ in range(900)]
    video = [unit for unit in units if unit.track == 0]
    steps = {b.dts - a.dts for a, b in pairwise(video)}
    assert len(video) > 200
    assert steps == {video[1].dts - video[0].dts}
    assert is_complete(
        source.tracks[0].codec, parameter_sets(source.tracks[0].codec, units[0].data)
    )
    for track in {unit.track for unit in units}:
        times = [unit.dts for unit in units if unit.track == track]
        assert times == sorted(set(times))


def test_a_file_is_shown_at_its_own_pace(clips: dict[str, Path]) -> None:
    clock = FakeClock()
    source = FileInput(clips["sub"], audio=False, monotonic_s=clock.monotonic_s)
    count = 0
    for _ in range(100):
        clock.advance(0.1)
        while source.ready(clock.monotonic_s()):
            source.read()
            count += 1
    assert count == pytest.approx(250, abs=1)


def test_sound_is_left_out_when_not_wanted(clips: dict[str, Path]) -> None:
    assert len(FileInput(clips["main"], audio=False, monotonic_s=lambda: 0.0).tracks) == 1
    assert len(FileInput(clips["main"], audio=True, monotonic_s=lambda: 0.0).tracks) == 2


def test_a_missing_file_and_one_without_video_say_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as missing:
        FileInput(tmp_path / "none.mp4", True, lambda: 0.0)
    assert missing.value.cause is Cause.NO_SUCH_STREAM
    (tmp_path / "text.mp4").write_text("no video at all")
    with pytest.raises(SourceError) as garbage:
        FileInput(tmp_path / "text.mp4", True, lambda: 0.0)
    assert garbage.value.cause is Cause.INVALID_STREAM


@pytest.mark.parametrize(
    "playlist",
    ["ffconcat version 1.0\nfile /etc/hostname\n", "#EXTM3U\n#EXTINF:1,\n/etc/hostname\n"],
)
def test_attack_class_2_a_file_cannot_lead_to_another_file(tmp_path: Path, playlist: str) -> None:
    path = tmp_path / "trap.mp4"
    path.write_text(playlist)
    with pytest.raises(SourceError):
        FileInput(path, True, lambda: 0.0)


def test_reordered_pictures_keep_presentation_and_decoding_times(tmp_path: Path) -> None:
    path = tmp_path / "b.mp4"
    make = (
        "ffmpeg -v error -f lavfi -i testsrc=s=320x180:d=2:r=25 -c:v libx264 -bf 2 -pix_fmt yuv420p"
    )
    subprocess.run([*make.split(), str(path)], check=True)
    source = FileInput(path, False, lambda: 0.0)
    units = [source.read() for _ in range(120)]
    assert any(unit.pts != unit.dts for unit in units)
    assert [unit.dts for unit in units] == sorted({unit.dts for unit in units})
    assert all(unit.pts >= unit.dts - 2 * (units[1].dts - units[0].dts) for unit in units)


def test_pictures_of_a_device_are_encoded_once_and_handed_on() -> None:
    settings = CameraSource(rtsp_url="/dev/video0", options={"bitrate_kbps": 500})
    source = DeviceInput("testsrc2=size=320x180:rate=25", settings, format="lavfi")
    units = [source.read() for _ in range(120)]
    source.close()
    keys = [number for number, unit in enumerate(units) if unit.is_key]
    assert keys == [0, 50, 100]
    assert all(unit.picture is not None and unit.picture.width == 320 for unit in units)
    assert [unit.pts for unit in units] == [n * 3600 for n in range(120)]
    assert is_complete("h264", parameter_sets("h264", units[50].data))


def test_a_device_that_is_not_there_says_so() -> None:
    with pytest.raises(SourceError) as missing:
        DeviceInput("/dev/video250", CameraSource(rtsp_url="/dev/video250"))
    assert missing.value.cause is Cause.NO_SUCH_STREAM
