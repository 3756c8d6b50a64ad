from __future__ import annotations

import time
from pathlib import Path

import pytest

from vigilar_camera_rtsp.demo import Clip, Encoding, camera
from vigilar_camera_rtsp.settings import CameraSource


@pytest.fixture
def short_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encodings = (Encoding("main", 320, 180, audio="aac"), Encoding("sub", 256, 144))
    monkeypatch.setattr(camera, "CLIP", Clip((), 2.0, encodings=encodings))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def open_stream(name: str):
    return camera.open_demo(name, CameraSource(rtsp_url="demo:"), time.monotonic)


@pytest.mark.usefixtures("short_clip")
def test_without_the_server_the_file_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "available", lambda: False)
    source = open_stream("main")
    assert source.paced
    assert [track.kind for track in source.tracks] == ["video", "audio"]
    source.close()


@pytest.mark.rtsp
@pytest.mark.usefixtures("short_clip")
def test_with_the_server_both_streams_come_over_rtsp_from_one_process() -> None:
    sources = [open_stream(name) for name in ("main", "sub")]
    assert not any(source.paced for source in sources)
    assert sources[0].read().is_key
    for source in sources:
        source.close()
    camera.stop()


@pytest.mark.rtsp
@pytest.mark.usefixtures("short_clip")
def test_a_server_that_died_is_started_again() -> None:
    open_stream("sub").close()
    camera.stop()
    open_stream("sub").close()
    camera.stop()
