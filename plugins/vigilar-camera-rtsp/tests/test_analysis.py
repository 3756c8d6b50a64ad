from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from vigilar_camera_rtsp.analysis import Analysis
from vigilar_camera_rtsp.file_input import FileInput
from vigilar_camera_rtsp.settings import CameraSource
from vigilar_core.media import Packet, Stream


def feed(host, clip: Path, *, width: int = 320, height: int = 180, **keys) -> Analysis:
    """Four seconds of a clip, its stream said to be of this size."""
    analysis = Analysis(host, CameraSource(rtsp_url="demo:", **keys))
    source = FileInput(clip, False, lambda: 0.0)
    stream = Stream(0, "video", "h264", source.tracks[0].time_base, b"", width, height)
    for number in range(100):
        unit = source.read()
        times = unit.pts, unit.dts, unit.duration, unit.is_key
        packet = Packet(stream, unit.data, *times, number * 40_000, number * 0.04)
        analysis.packet(packet, unit.picture)
    source.close()
    return analysis


def seconds(host) -> list[float]:
    return [round(frame.monotonic_s, 2) for frame in host.frames]


@pytest.mark.parametrize(("idle_fps", "frames"), [(1, 4), (2, 8), (5, 20), (25, 100)])
def test_a_small_stream_is_looked_at_with_the_idle_rate(
    recorder, clips, idle_fps: int, frames: int
) -> None:
    feed(recorder, clips["sub"], idle_fps=idle_fps)
    assert len(recorder.frames) == pytest.approx(frames, abs=1)


def test_of_a_large_stream_only_key_frames_are_decoded_while_idle(recorder, clips) -> None:
    analysis = feed(recorder, clips["sub"], width=1920, height=1080, idle_fps=5)
    assert seconds(recorder) == [0.0, 1.0, 2.0, 3.0]
    assert all(frame.is_key for frame in recorder.frames)
    assert analysis.decoded_count == 4


def test_key_frames_alone_can_be_chosen_for_every_stream(recorder, clips) -> None:
    feed(recorder, clips["sub"], idle_decode="keyframes")
    assert seconds(recorder) == [0.0, 1.0, 2.0, 3.0]


def test_during_motion_a_large_stream_is_looked_at_too_up_to_the_limit(recorder, clips) -> None:
    recorder.analysis_fps = 30.0
    analysis = feed(recorder, clips["sub"], width=1920, height=1080, motion_fps=5)
    assert analysis.busy
    assert len(recorder.frames) == pytest.approx(20, abs=1)


def test_frames_are_numbered_without_gaps_and_have_the_size_asked_for(recorder, clips) -> None:
    feed(recorder, clips["sub"], resolution_motion=[160, 90])
    assert [frame.sequence for frame in recorder.frames] == list(range(1, 10))[
        : len(recorder.frames)
    ]
    assert {frame.pixels.shape for frame in recorder.frames} == {(90, 160)}
    assert {frame.format for frame in recorder.frames} == {"gray8"}


def test_colour_is_made_only_for_viewers_and_luma_keeps_its_own_rate(recorder, clips) -> None:
    feed(recorder, clips["sub"])
    assert recorder.colour_frames == []
    recorder.frames.clear()
    recorder.colour = True
    feed(recorder, clips["sub"])
    assert len(recorder.colour_frames) == pytest.approx(32, abs=6)
    assert len(recorder.frames) == pytest.approx(8, abs=2)


def test_a_picture_that_was_decoded_before_is_not_decoded_again(recorder) -> None:
    analysis = Analysis(recorder, CameraSource(rtsp_url="0", idle_fps=5))
    grey = np.full((180, 320), 77, np.uint8)
    picture = av.VideoFrame.from_ndarray(grey, "gray")
    stream = Stream(0, "video", "h264", 1, b"", 320, 180)
    packet = Packet(stream, b"", 0, 0, 0, False, 0, 0.0)
    for number in range(50):
        analysis.packet(replace(packet, monotonic_s=number * 0.04), picture)
    assert len(recorder.frames) == pytest.approx(10, abs=1)
    assert analysis.decoded_count == 0
    assert (recorder.frames[0].pixels == 77).all()
