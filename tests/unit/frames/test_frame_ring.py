from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vigilar_core.frames import FrameReader, FrameWriter
from vigilar_core.media import Frame


def frame(pixels: np.ndarray, sequence: int = 1, **values: object) -> Frame:
    format = "gray8" if pixels.ndim == 2 else "bgr24"
    return Frame("hall", sequence, pixels, format, 5_000_000, 2.5, **values)  # type: ignore[arg-type]


shapes = st.tuples(st.integers(1, 40), st.integers(1, 40))


@given(
    hnp.arrays(np.uint8, st.one_of(shapes, shapes.map(lambda shape: (*shape, 3)))),
    st.integers(0, 2**40),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_frame_comes_out_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, pixels: np.ndarray, sequence: int, is_key: bool
) -> None:
    folder = tmp_path_factory.mktemp("frames")
    sent = frame(pixels, sequence, is_key=is_key)
    writer = FrameWriter(folder, "hall", "gray8")
    writer.write(sent)
    found = FrameReader(folder, "hall", "gray8").latest()
    assert found is not None
    assert np.array_equal(found.pixels, pixels)
    assert (found.sequence, found.is_key, found.format, found.time_us, found.monotonic_s) == (
        sent.sequence, sent.is_key, sent.format, sent.time_us, sent.monotonic_s,
    )  # fmt: skip
    writer.close()


def test_a_view_with_gaps_is_written_as_it_looks(tmp_path: Path) -> None:
    whole = np.arange(64, dtype=np.uint8).reshape(8, 8)
    writer = FrameWriter(tmp_path, "hall", "gray8")
    writer.write(frame(whole[::2, 1::3]))
    found = FrameReader(tmp_path, "hall", "gray8").latest()
    assert found is not None and np.array_equal(found.pixels, whole[::2, 1::3])


def test_a_frame_that_was_read_is_not_changed_by_later_ones(tmp_path: Path) -> None:
    writer = FrameWriter(tmp_path, "hall", "gray8")
    reader = FrameReader(tmp_path, "hall", "gray8")
    writer.write(frame(np.full((10, 10), 1, np.uint8)))
    first = reader.latest()
    for value in range(2, 20):
        writer.write(frame(np.full((10, 10), value, np.uint8)))
    assert first is not None and int(first.pixels.max()) == 1


def test_a_camera_that_changes_its_size_is_followed(tmp_path: Path) -> None:
    writer = FrameWriter(tmp_path, "hall", "gray8")
    reader = FrameReader(tmp_path, "hall", "gray8")
    for height, width in ((360, 640), (1080, 1920), (10, 10)):
        writer.write(frame(np.zeros((height, width), np.uint8)))
        found = reader.latest()
        assert found is not None and found.pixels.shape == (height, width)


def test_the_latest_frame_wins_and_the_others_are_counted(tmp_path: Path) -> None:
    writer = FrameWriter(tmp_path, "hall", "gray8")
    reader = FrameReader(tmp_path, "hall", "gray8")
    pixels = np.zeros((4, 4), np.uint8)
    writer.write(frame(pixels, 1))
    reader.latest()
    for sequence in range(2, 12):
        writer.write(frame(pixels, sequence))
    found = reader.latest()
    assert found is not None and found.sequence == 11
    assert reader.skipped == 9


def test_cameras_and_formats_have_rings_of_their_own(tmp_path: Path) -> None:
    FrameWriter(tmp_path, "hall", "gray8").write(frame(np.zeros((4, 4), np.uint8)))
    assert FrameReader(tmp_path, "yard", "gray8").latest() is None
    assert FrameReader(tmp_path, "hall", "bgr24").latest() is None
