from __future__ import annotations

from pathlib import Path

from vigilar_live.fragment_ring import SLOTS, FragmentReader, FragmentWriter


def test_a_viewer_gets_the_init_segment_then_fragments_from_a_key_frame(tmp_path: Path) -> None:
    writer, reader = FragmentWriter(tmp_path, "hall"), FragmentReader(tmp_path, "hall")
    writer.init(b"moov", "video/mp4")
    writer.fragment(b"tail", starts_with_key=False, time_us=1)
    writer.fragment(b"key", starts_with_key=True, time_us=2)
    writer.fragment(b"more", starts_with_key=False, time_us=3)
    assert reader.init() == (1, "video/mp4", b"moov")
    assert [fragment.data for fragment in reader.following()] == [b"key", b"more"]


def test_a_viewer_that_fell_behind_begins_again_with_a_key_frame(tmp_path: Path) -> None:
    writer, reader = FragmentWriter(tmp_path, "hall"), FragmentReader(tmp_path, "hall")
    writer.init(b"moov", "video/mp4")
    writer.fragment(b"key", starts_with_key=True, time_us=1)
    assert len(list(reader.following())) == 1
    for number in range(2 * SLOTS):
        writer.fragment(b"%d" % number, starts_with_key=number == 2 * SLOTS - 3, time_us=number)
    found = list(reader.following())
    assert [fragment.data for fragment in found] == [
        b"%d" % number for number in range(2 * SLOTS - 3, 2 * SLOTS)
    ]


def test_a_new_init_segment_has_a_new_generation(tmp_path: Path) -> None:
    writer, reader = FragmentWriter(tmp_path, "hall"), FragmentReader(tmp_path, "hall")
    writer.init(b"one", "video/mp4")
    assert reader.init() == (1, "video/mp4", b"one")
    writer.init(b"two", "video/mp4; two")
    writer.fragment(b"key", starts_with_key=True, time_us=1)
    (fragment,) = reader.following()
    assert fragment.generation == 2
    assert reader.init() == (2, "video/mp4; two", b"two")


def test_before_anything_is_written_there_is_nothing(tmp_path: Path) -> None:
    reader = FragmentReader(tmp_path, "hall")
    assert reader.init() is None
    assert list(reader.following()) == []
