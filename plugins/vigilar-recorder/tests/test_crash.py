"""A recorder killed at any instant, and a recording cut at any byte."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import pytest

from vigilar_core.recording_file import RecordingReader
from vigilar_core.testing.clip import make_clip
from vigilar_recorder import files
from vigilar_recorder.facts import RecordingFacts
from vigilar_recorder.open_notes import OpenNotes
from vigilar_recorder.recovery import recover
from vigilar_recorder.settings import CameraRecording, RecordingStorage

KEY = bytes(range(32))
CHILD = Path(__file__).with_name("crash_child.py")
Make = Callable[..., Any]


def killed_after(folder: Path, seconds: float, *, encrypted: bool) -> float:
    """Run the child, kill it once the clip is so far; return how far it really got."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, str(CHILD), str(folder), str(int(encrypted))],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if float(line) >= seconds:
                break
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
    whole = [float(each) for each in rest if "." in each and len(each.partition(".")[2]) == 3]
    return max([seconds, *whole])


@pytest.mark.parametrize(("seconds", "encrypted"), [(1.73, True), (3.4, True), (2.6, False)])
def test_a_killed_recorder_loses_at_most_a_second(
    bench: Make, tmp_path: Path, decode: Any, seconds: float, encrypted: bool
) -> None:
    reached_s = killed_after(tmp_path, seconds, encrypted=encrypted)
    it = bench(RecordingStorage(encrypt_recordings=encrypted))
    (sealed,) = it.wait("sealed")
    assert sealed["recovered"] is True
    assert sealed["ended_by"] == "crash"
    assert (it.root / sealed["thumbnail"]).exists()
    pictures = decode(it.mp4(sealed))
    # The child runs ahead of real time, so the same second of video is a shorter time for it.
    assert pictures[-1] >= reached_s - 1.0
    assert sealed["duration_s"] == pytest.approx(pictures[-1], abs=0.2)
    assert not list(OpenNotes(it.root, "hall").read())


def test_a_recording_cut_at_any_byte_plays_all_fragments_before_the_cut(
    bench: Make, tmp_path: Path, decode: Any
) -> None:
    it = bench(CameraRecording(pre_motion_buffer_s=2, post_motion_buffer_s=3))
    clip = make_clip(10)
    it.connect(clip)
    it.feed(clip, at={3.0: lambda: it.motion("start"), 4.0: lambda: it.motion("end")})
    (sealed,) = it.wait("sealed")
    whole = (it.root / sealed["path"]).read_bytes()
    with (it.root / sealed["path"]).open("rb") as file, RecordingReader(file, KEY) as reader:
        starts = [at for at in range(reader.size_bytes) if reader.read_at(at, 8)[4:] == b"moof"]
        ends = [*starts[1:], reader.size_bytes]
        reader.seek(0)
        with av.open(reader) as container:
            places = [packet.pos for packet in container.demux(video=0) if packet.size]
        plain_to_file = [(end + 40) // 4080 * 4096 for end in ends]
    copy = tmp_path / "cut.vge"
    chance = random.Random(7)
    for cut in [*chance.sample(range(600, len(whole)), 25), len(whole) - 1]:
        copy.write_bytes(whole[:cut])
        complete = sum(1 for end in plain_to_file if end + 600 < cut)
        if not complete:
            continue
        files.mend(copy, KEY)
        with files.open_file(copy, KEY, sealed=True) as plain:
            pictures = decode(plain.read())
        assert len(pictures) >= sum(1 for place in places if place < ends[complete - 1])


def test_control_an_ordinary_mp4_cut_short_does_not_play(tmp_path: Path, decode: Any) -> None:
    whole = tmp_path / "whole.mp4"
    clip = make_clip(4)
    with av.open(str(whole), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height = clip.streams[0].width, clip.streams[0].height
        for _ in range(50):
            container.mux(stream.encode(av.VideoFrame(stream.width, stream.height, "yuv420p")))
        container.mux(stream.encode(None))
    assert len(decode(whole.read_bytes())) == 50
    with pytest.raises(av.FFmpegError):
        decode(whole.read_bytes()[:-500])


@pytest.mark.parametrize("damage", ["flip", "cut", "append", "swap"])
def test_a_recording_changed_afterwards_is_found_out(bench: Make, damage: str) -> None:
    it = bench(CameraRecording(pre_motion_buffer_s=2, post_motion_buffer_s=3))
    clip = make_clip(10)
    it.connect(clip)
    it.feed(clip, at={3.0: lambda: it.motion("start"), 4.0: lambda: it.motion("end")})
    (sealed,) = it.wait("sealed")
    path = it.root / sealed["path"]
    files.verify(path, KEY)
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
    elif damage == "cut":
        del data[-5000:]
    elif damage == "append":
        data += bytes(100)
    else:
        base = len(data) - (len(data) % 4096)
        first, second = slice(base - 8192, base - 4096), slice(base - 12288, base - 8192)
        data[first], data[second] = data[second], data[first]
    path.write_bytes(bytes(data))
    with pytest.raises(files.RecordingError):
        files.verify(path, KEY)


def test_a_note_without_a_file_is_closed_as_lost(bench: Make, tmp_path: Path) -> None:
    it = bench(CameraRecording(pre_motion_buffer_s=2, post_motion_buffer_s=3))
    clip = make_clip(6)
    it.connect(clip)
    it.feed(clip, at={3.0: lambda: it.motion("start")})
    it.close()
    (sealed,) = it.events("sealed")
    (it.root / sealed["path"]).unlink()
    notes = OpenNotes(it.root, "hall")
    notes.add(RecordingFacts(camera="hall", **it.events("started")[0]))
    again = bench()
    (failed,) = again.wait("failed")
    assert (failed["id"], failed["cause"]) == (sealed["id"], "lost")
    assert not list(notes.read())


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a killed recorder leaves it; tests work on copies."""
    folder = tmp_path_factory.mktemp("crashed")
    killed_after(folder, 2.0, encrypted=True)
    return folder


def test_what_cannot_be_mended_now_stays_noted(tmp_path: Path, crashed: Path) -> None:
    shutil.copytree(crashed, tmp_path, dirs_exist_ok=True)
    notes = OpenNotes(tmp_path / "recordings", "hall")
    reported: list[object] = []
    recover(tmp_path / "recordings", list(notes.read()), None, reported.append)
    assert reported == []
    assert len(list(notes.read())) == 1


def test_recording_goes_on_while_old_ones_are_mended(
    bench: Make, tmp_path: Path, crashed: Path
) -> None:
    shutil.copytree(crashed, tmp_path, dirs_exist_ok=True)
    it = bench(CameraRecording(pre_motion_buffer_s=2, post_motion_buffer_s=1))
    clip = make_clip(8)
    it.connect(clip)
    it.feed(clip, at={3.0: lambda: it.motion("start"), 4.0: lambda: it.motion("end")})
    sealed: Sequence[dict[str, Any]] = it.wait("sealed", 2)
    assert sorted(each["recovered"] for each in sealed) == [False, True]
