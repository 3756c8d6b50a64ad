from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_live.hls import FILE_NAME, PLAYLIST, HlsWriter, Segment, playlist


def feed(writer: HlsWriter, seconds: int, *, fps_fragments: int = 4, key_every_s: int = 1) -> None:
    for number in range(seconds * fps_fragments):
        key = number % (fps_fragments * key_every_s) == 0
        writer.fragment(b"%d;" % number, 1 / fps_fragments, starts_with_key=key)


def test_a_segment_begins_with_a_key_frame_and_is_no_shorter_than_asked(tmp_path: Path) -> None:
    writer = HlsWriter(tmp_path / "hall", segment_s=2, window=3)
    writer.init(b"init")
    feed(writer, 5)
    assert (tmp_path / "hall" / "segment-1.m4s").read_bytes() == b"0;1;2;3;4;5;6;7;"
    assert "#EXTINF:2.000,\nsegment-1.m4s" in (tmp_path / "hall" / PLAYLIST).read_text()


def test_only_the_window_and_two_more_stay_on_disk(tmp_path: Path) -> None:
    writer = HlsWriter(tmp_path / "hall", segment_s=1, window=3)
    writer.init(b"init")
    feed(writer, 12)
    names = sorted(path.name for path in (tmp_path / "hall").glob("segment-*"))
    assert names == [f"segment-{n}.m4s" for n in (10, 11, 7, 8, 9)]
    listed = (tmp_path / "hall" / PLAYLIST).read_text()
    assert "#EXT-X-MEDIA-SEQUENCE:9\n" in listed
    assert listed.count("#EXTINF") == 3


def test_changed_parameters_make_a_discontinuity_with_a_map_of_its_own(tmp_path: Path) -> None:
    writer = HlsWriter(tmp_path / "hall", segment_s=1, window=6)
    writer.init(b"one")
    feed(writer, 2)
    writer.init(b"two")
    feed(writer, 2)
    listed = (tmp_path / "hall" / PLAYLIST).read_text()
    before, _, after = listed.partition("#EXT-X-DISCONTINUITY")
    assert 'URI="init-1.mp4"' in before
    assert 'URI="init-2.mp4"' in after


def test_fragments_before_the_first_key_frame_are_left_out(tmp_path: Path) -> None:
    writer = HlsWriter(tmp_path / "hall", segment_s=1, window=3)
    writer.init(b"init")
    writer.fragment(b"torn", 0.5, starts_with_key=False)
    feed(writer, 2)
    assert b"torn" not in (tmp_path / "hall" / "segment-1.m4s").read_bytes()


def test_closing_leaves_nothing_behind(tmp_path: Path) -> None:
    writer = HlsWriter(tmp_path / "hall", segment_s=1, window=3)
    writer.init(b"init")
    feed(writer, 3)
    writer.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["../live.m3u8", "live.m3u8/..", "segment-1.m4s\n", "init-.mp4", "segment-1.m4s.new", ""],
)
def test_no_other_name_is_served(name: str) -> None:
    assert FILE_NAME.fullmatch(name) is None


@given(st.lists(st.tuples(st.integers(1, 3), st.floats(0.5, 9)), min_size=1, max_size=8))
def test_the_target_duration_is_never_below_a_segment(parts: list[tuple[int, float]]) -> None:
    segments = [
        Segment(number, generation, duration)
        for number, (generation, duration) in enumerate(sorted(parts))
    ]
    lines = playlist(segments, 2.0).splitlines()
    target = int(next(line for line in lines if "TARGETDURATION" in line).partition(":")[2])
    assert all(target >= segment.duration_s for segment in segments)
    assert sum(line.startswith("#EXT-X-MAP") for line in lines) == len({p[0] for p in parts})
