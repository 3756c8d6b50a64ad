"""A disk that is slow, and what waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vigilar_core.testing.clip import Clip, make_clip
from vigilar_recorder import files, write_behind
from vigilar_recorder.settings import CameraRecording

Make = Callable[..., Any]


def heavy(clip: Clip) -> Clip:
    """The clip with filler data (H.264, 7.4.2.7) in every packet: 100 kB a second and more."""
    filler = b"\0\0\1\x0c" + b"\xff" * 10_000 + b"\x80"
    packets = tuple(replace(packet, data=packet.data + filler) for packet in clip.packets)
    return replace(clip, packets=packets)


@pytest.fixture
def stuck_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Every file is made only after the event is set."""
    free = threading.Event()
    create = files.create

    def late(path: Path, *rest: Any) -> Any:
        free.wait(30)
        return create(path, *rest)

    monkeypatch.setattr(write_behind.files, "create", late)
    yield free
    free.set()


def test_a_stuck_disk_does_not_hold_up_the_camera(bench: Make, stuck_disk: threading.Event) -> None:
    it = bench(CameraRecording(pre_motion_buffer_s=2, post_motion_buffer_s=3))
    clip = make_clip(20)
    it.connect(clip)
    begun = time.monotonic()
    it.feed(clip, at={4.0: lambda: it.motion("start"), 10.0: lambda: it.motion("end")})
    assert time.monotonic() - begun < 25, "the loop would have waited for the disk"
    assert not stuck_disk.is_set()
    stuck_disk.set()
    (sealed,) = it.wait("sealed")
    assert len(it.pictures(sealed)) == round(sealed["duration_s"] * 25)


def test_what_waits_for_the_disk_is_bounded_and_its_loss_is_said(
    bench: Make, stuck_disk: threading.Event
) -> None:
    it = bench(CameraRecording(pre_motion_buffer_s=2, pre_motion_buffer_mb=1))
    clip = heavy(make_clip(40, fps=10))
    it.connect(clip)
    it.feed(clip, at={2.0: lambda: it.motion("start")})
    stuck_disk.set()
    failures = it.wait("failed")
    assert failures[0]["cause"] == "disk_slow"


def test_a_disk_that_keeps_up_fails_nothing(bench: Make) -> None:
    it = bench(CameraRecording(pre_motion_buffer_s=2, pre_motion_buffer_mb=1))
    clip = heavy(make_clip(40, fps=10))
    it.connect(clip)
    seconds = dict.fromkeys((float(second) for second in range(3, 40)), lambda: settle(it))
    it.feed(clip, at={2.0: lambda: it.motion("start"), **seconds})
    assert not it.events("failed")


def settle(it: Any) -> None:
    """Let the writer catch up, as it does in the time that really passes."""
    from vigilar_core.testing import eventually

    writer = it.recorder._writer
    eventually(lambda: writer._done_bytes == writer._taken_bytes)
