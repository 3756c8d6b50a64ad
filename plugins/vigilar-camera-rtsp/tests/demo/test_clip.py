from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_camera_rtsp.demo import (
    DEMO_MOVEMENTS,
    Clip,
    Encoding,
    Figure,
    Movement,
    cached_clips,
    read_frame_number,
    render,
)
from vigilar_camera_rtsp.demo.frame_code import write_frame_number
from vigilar_camera_rtsp.demo.scene import Scene

PERSON = Movement(Figure.PERSON, 1.0, 2.0)
CAR = Movement(Figure.CAR, 1.0, 2.0, enter=0.3, leave=0.7)


def plane(frame: av.VideoFrame, number: int) -> np.ndarray:
    raw = frame.planes[number]
    view = np.frombuffer(raw, np.uint8).reshape(-1, raw.line_size)
    return view[: raw.height, : raw.width]


def frames(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


@pytest.mark.parametrize("name", ["main", "sub", "hevc", "small"])
def test_every_encoding_carries_the_number_of_each_frame(clips: dict[str, Path], name: str) -> None:
    found = [read_frame_number(plane(frame, 1)) for frame in frames(clips[name])]
    assert found == list(range(100))


@given(st.integers(0, 2**16 - 1), st.sampled_from([256, 320, 640, 1280, 1920]))
def test_any_number_can_be_read_back(number: int, width: int) -> None:
    height = width * 9 // 16 & ~3
    y = np.zeros((height, width), np.uint8)
    u, v = (np.zeros((height // 2, width // 2), np.uint8) for _ in range(2))
    write_frame_number(y, u, v, number)
    assert read_frame_number(u) == number


def test_a_picture_without_the_code_has_no_number() -> None:
    assert read_frame_number(np.full((90, 160), 128, np.uint8)) is None


def changes(path: Path) -> list[float]:
    """The largest change of a block of luma between pictures 0.2 s apart."""
    small = [cv2.resize(plane(f, 0), (80, 45), interpolation=cv2.INTER_AREA) for f in frames(path)]
    pairs = zip(small[::5], small[5::5], strict=False)
    return [float(cv2.absdiff(a, b).max()) for a, b in pairs]


@pytest.mark.parametrize("movement", [PERSON, CAR])
def test_luma_changes_while_a_figure_crosses_and_only_then(
    tmp_path: Path, movement: Movement
) -> None:
    encodings = (Encoding("main", 640, 360),)
    path = render(Clip((movement,), 3.0, encodings=encodings), tmp_path)["main"]
    found = changes(path)
    assert max(found[:4] + found[11:]) < 8
    assert min(found[5:9]) > 30


def test_the_demonstration_has_long_idle_stretches() -> None:
    edges = [0.0] + [t for m in DEMO_MOVEMENTS for t in (m.start_s, m.end_s)] + [Clip().duration_s]
    assert all(b - a >= 10 for a, b in zip(edges[0:4:2], edges[1:4:2], strict=True))
    assert edges[1] + edges[-1] - edges[-2] >= 10


def test_the_same_seed_draws_the_same_picture() -> None:
    pictures = [Scene(320, 180, (), seed=3).draw(0.0, 0)[0] for _ in range(2)]
    assert np.array_equal(*pictures)


def test_a_size_that_chroma_cannot_halve_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 4"):
        Scene(322, 180, (), seed=1)


def test_a_cached_clip_is_not_rendered_again_and_a_changed_one_is(tmp_path: Path) -> None:
    clip = Clip((), 0.4, encodings=(Encoding("main", 256, 144),))
    first = cached_clips(clip, tmp_path)["main"]
    before = first.stat().st_mtime_ns
    assert cached_clips(clip, tmp_path)["main"] == first
    assert first.stat().st_mtime_ns == before
    assert cached_clips(replace(clip, seed=2), tmp_path)["main"] != first
    assert sorted(tmp_path.iterdir()) == sorted({*tmp_path.glob("main-*.mp4")})
