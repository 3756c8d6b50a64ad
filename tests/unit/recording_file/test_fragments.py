"""The index is the same whether it was gathered, stored or found by walking."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilar_core.recording_file import (
    Fragment,
    FragmentIndex,
    Mp4RecordingWriter,
    NotPlayable,
    RecordingMetadata,
    RecordingReader,
    RecordingWriter,
    open_recording,
)
from vigilar_core.recording_file.boxes import find, walk
from vigilar_core.recording_file.fragments import read_fragments, read_index, read_init
from vigilar_core.recording_file.tracks import Track, TrackRun, read_run, read_track

SAMPLES = ["fragmented_mp4", "fragmented_mp4_with_b_frames", "heavy_mp4"]


@pytest.fixture(params=SAMPLES)
def mp4(request: pytest.FixtureRequest) -> bytes:
    sample = request.getfixturevalue(request.param)
    assert isinstance(sample, bytes)
    return sample


def _key_frame_times_s(mp4: bytes) -> list[float]:
    command = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_packets", "-of", "json"]
    output = subprocess.run([*command, "-"], input=mp4, capture_output=True, check=True).stdout
    packets = json.loads(output)["packets"]
    return [float(packet["pts_time"]) for packet in packets if "K" in packet["flags"]]


def test_stretches_begin_where_ffprobe_sees_key_frames(
    mp4: bytes, record_mp4: Callable[..., Path], key: bytes
) -> None:
    with open_recording(record_mp4(mp4), key) as reader:
        index = read_index(reader, read_init(reader))
    times = [entry.start_ticks / index.track.timescale for entry in index.stretches()]
    # Without delay_moov FFmpeg writes no edit list, so presentation starts at the delay of the
    # first picture; ffprobe's times are the ones in the file.
    assert times == pytest.approx(_key_frame_times_s(mp4), abs=0.001)


def test_the_stored_index_equals_the_gathered_and_the_walked_one(
    mp4: bytes, key: bytes, metadata: RecordingMetadata
) -> None:
    file = io.BytesIO()
    writer = Mp4RecordingWriter(RecordingWriter(file, key, metadata))
    writer.write(mp4)
    writer.seal()
    assert writer.index is not None
    reader = RecordingReader(io.BytesIO(file.getvalue()), key)
    init = read_init(reader)
    assert init.track is not None
    walked = FragmentIndex(init.track)
    for fragment in read_fragments(reader, init.track, init.end):
        walked.add(fragment)
    stored = read_index(reader, init)
    assert writer.index.stretches() == walked.stretches() == stored.stretches()
    assert writer.index.duration_s == walked.duration_s == stored.duration_s
    assert b"mfra" in [box.type for box in walk(reader)]


def test_half_second_fragments_that_start_without_a_key_frame_join_the_stretch_before(
    fragmented_mp4: bytes, record_mp4: Callable[..., Path], key: bytes
) -> None:
    with open_recording(record_mp4(fragmented_mp4), key) as reader:
        init = read_init(reader)
        assert init.track is not None
        fragments = list(read_fragments(reader, init.track, init.end))
        stretches = read_index(reader, init).stretches()
    flags = [fragment.run.starts_with_key_frame for fragment in fragments if fragment.run]
    assert len(flags) >= 40
    assert sum(flags) == len(stretches) == 10
    for before, after in pairwise(stretches):
        assert before.offset + before.size_bytes == after.offset
        assert before.start_ticks + before.duration_ticks == after.start_ticks


@pytest.mark.parametrize("cut", [0.97, 0.5, 0.31])
def test_an_unsealed_recording_is_indexed_up_to_its_last_whole_fragment(
    tmp_path: Path, fragmented_mp4: bytes, record_mp4: Callable[..., Path], key: bytes, cut: float
) -> None:
    whole = record_mp4(fragmented_mp4).read_bytes()
    path = tmp_path / "killed.vge"
    path.write_bytes(whole[: int(len(whole) * cut)])
    with open_recording(path, key, allow_unsealed=True) as reader:
        index = read_index(reader, read_init(reader))
        mdats = [box for box in walk(reader) if box.type == b"mdat"]
    assert index.end_offset == mdats[-1].end
    assert 20 * cut - 1.5 < index.duration_s <= 20


def test_the_muxers_own_index_is_not_taken_over(
    fragmented_mp4: bytes, record_mp4: Callable[..., Path], key: bytes
) -> None:
    assert list(find(fragmented_mp4, b"mfra"))
    with open_recording(record_mp4(fragmented_mp4), key) as file:
        assert [box.type for box in walk(file)].count(b"mfra") == 1


@pytest.mark.parametrize("piece", [1, 17, 4096, 1 << 20])
def test_the_pieces_in_which_the_muxer_writes_do_not_matter(
    fragmented_mp4: bytes, record_mp4: Callable[..., Path], key: bytes, piece: int
) -> None:
    with (
        open_recording(record_mp4(fragmented_mp4[:60_000], piece=piece), key) as one,
        open_recording(record_mp4(fragmented_mp4[:60_000]), key) as other,
    ):
        assert one.readall() == other.readall()


def test_an_mp4_that_is_not_fragmented_is_refused_at_once(
    tmp_path: Path, key: bytes, metadata: RecordingMetadata
) -> None:
    path = tmp_path / "plain.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=s=64x64:r=5:d=1", "-c:v", "libx264"]
    subprocess.run(["ffmpeg", "-v", "error", *source, "-movflags", "faststart", path], check=True)
    writer = Mp4RecordingWriter(RecordingWriter(io.BytesIO(), key, metadata))
    with pytest.raises(NotPlayable, match="fragmented"):
        writer.write(path.read_bytes())


def test_fragments_addressed_from_the_start_of_the_file_are_refused(
    key: bytes, metadata: RecordingMetadata
) -> None:
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=64x64:r=5:d=1"]
    flags = ["-c:v", "libx264", "-movflags", "empty_moov+frag_keyframe", "-f", "mp4", "-"]
    mp4 = subprocess.run([*command, *flags], capture_output=True, check=True).stdout
    writer = Mp4RecordingWriter(RecordingWriter(io.BytesIO(), key, metadata))
    with pytest.raises(NotPlayable, match="default_base_moof"):
        writer.write(mp4)


@settings(max_examples=300, deadline=None)
@given(noise=st.binary(max_size=150), position=st.integers(0, 400), moof=st.booleans())
def test_changed_boxes_raise_nothing_but_not_playable(
    fragmented_mp4: bytes, noise: bytes, position: int, moof: bool
) -> None:
    boxes = {box.type: box for box in walk(io.BytesIO(fragmented_mp4))}
    box = boxes[b"moof" if moof else b"moov"]
    data = bytearray(fragmented_mp4[box.offset : box.end])
    data[8 + position : 8 + position + len(noise)] = noise
    try:
        if moof:
            read_run(bytes(data), Track(1, 90_000))
        else:
            read_track(bytes(data))
    except NotPlayable:
        pass


@given(
    st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 900), st.booleans()), max_size=40),
    st.integers(0, 1 << 40),
)
def test_stretches_cover_all_fragments_without_gap(
    fragments: list[tuple[int, int, bool]], start_ticks: int
) -> None:
    index = FragmentIndex(Track(1, 1000))
    offset, ticks = 100, start_ticks
    for size, duration, is_key in fragments:
        run = TrackRun(ticks, duration, is_key, 1, absolute=False)
        index.add(Fragment(offset, size, run))
        offset, ticks = offset + size, ticks + duration
    stretches = index.stretches()
    assert sum(entry.size_bytes for entry in stretches) == offset - 100
    assert sum(entry.duration_ticks for entry in stretches) == ticks - start_ticks
    assert index.duration_s == (ticks - start_ticks) / 1000
    keys = [is_key for _, _, is_key in fragments]
    assert len(stretches) == sum(keys) + (bool(keys) and not keys[0])


def test_pyav_can_mux_straight_into_a_recording(
    tmp_path: Path, fragmented_mp4: bytes, key: bytes, metadata: RecordingMetadata
) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "muxed.vge"
    options = {
        "movflags": "empty_moov+default_base_moof+frag_keyframe",
        "frag_duration": "500000",
    }
    with path.open("xb", buffering=0) as file, av.open(io.BytesIO(fragmented_mp4)) as source:
        sink = Mp4RecordingWriter(RecordingWriter(file, key, metadata))
        with av.open(sink, "w", format="mp4", options=options) as muxer:
            tracks = {
                stream.index: muxer.add_stream_from_template(stream) for stream in source.streams
            }
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = tracks[packet.stream.index]
                    muxer.mux(packet)
        sink.seal()
    with open_recording(path, key) as reader:
        index = read_index(reader, read_init(reader))
    assert len(index.stretches()) == 10
    assert index.duration_s == pytest.approx(20, abs=0.1)
