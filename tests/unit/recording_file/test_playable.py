"""The view is a proper MP4 to FFmpeg, and costs little to open and to seek in."""

from __future__ import annotations

import io
import json
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from vigilar_core.recording_file import (
    FragmentIndex,
    LegacyRecordingReader,
    Mp4RecordingWriter,
    NotPlayable,
    PlayableView,
    RecordingMetadata,
    RecordingReader,
    RecordingWriter,
    Stretch,
    open_recording,
)
from vigilar_core.recording_file.boxes import find, payload, walk
from vigilar_core.recording_file.playable import make_sidx
from vigilar_core.recording_file.tracks import Track

SEGMENT_SIZE = 4096
HOUR_S = 3600


def _ffprobe(path: Path, *arguments: str) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-of", "json", *arguments, str(path)]
    result = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert result.stderr == b""
    output = json.loads(result.stdout)
    assert isinstance(output, dict)
    return output


def _save(view: PlayableView, path: Path) -> Path:
    view.seek(0)
    path.write_bytes(view.readall())
    return path


@pytest.fixture(params=[True, False], ids=["sealed", "unsealed"])
def view(
    request: pytest.FixtureRequest,
    fragmented_mp4: bytes,
    record_mp4: Callable[..., Path],
    key: bytes,
) -> PlayableView:
    path = record_mp4(fragmented_mp4, sealed=request.param)
    return PlayableView(open_recording(path, key, allow_unsealed=not request.param))


def test_ffprobe_reports_the_duration_of_every_track(view: PlayableView, tmp_path: Path) -> None:
    found = _ffprobe(_save(view, tmp_path / "v.mp4"), "-show_entries", "format:stream")
    durations = [found["format"]["duration"], *(s["duration"] for s in found["streams"])]
    assert [float(value) for value in durations] == pytest.approx([20, 20, 20], abs=0.1)
    assert view.duration_s == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize("time_s", [0.0, 5.3, 11.9, 19.5])
def test_ffprobe_seeks_to_the_key_frame_before_a_moment(
    view: PlayableView, tmp_path: Path, time_s: float
) -> None:
    path = _save(view, tmp_path / "v.mp4")
    found = _ffprobe(
        path, "-select_streams", "v", "-show_packets", "-read_intervals", f"{time_s}%+#1"
    )
    first = found["packets"][0]
    assert "K" in first["flags"]
    assert time_s - 2.2 < float(first["pts_time"]) <= time_s + 0.1


def test_all_pictures_and_all_sound_decode_without_a_complaint(
    view: PlayableView, tmp_path: Path
) -> None:
    path = _save(view, tmp_path / "v.mp4")
    command = ["ffmpeg", "-v", "warning", "-i", str(path), "-f", "null", "-"]
    result = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert result.stderr == b""
    counted = _ffprobe(path, "-count_packets", "-show_entries", "stream=nb_read_packets")
    assert int(counted["streams"][0]["nb_read_packets"]) == 200


def test_a_recording_cut_anywhere_stays_playable_to_its_last_whole_fragment(
    fragmented_mp4: bytes, record_mp4: Callable[..., Path], tmp_path: Path, key: bytes
) -> None:
    data = record_mp4(fragmented_mp4, sealed=False).read_bytes()
    cut = tmp_path / "cut.vge"
    for size in range(60_000, len(data), 70_001):
        cut.write_bytes(data[:size])
        with PlayableView(open_recording(cut, key, allow_unsealed=True)) as view:
            assert view.duration_s is not None
            path = _save(view, tmp_path / "cut.mp4")
            found = _ffprobe(path, "-show_entries", "format=duration")
            assert float(found["format"]["duration"]) == pytest.approx(view.duration_s, abs=0.1)
        command = ["ffmpeg", "-v", "warning", "-i", str(path), "-f", "null", "-"]
        result = subprocess.run(command, capture_output=True, check=True, timeout=60)
        assert result.stderr == b""


def test_reads_at_any_place_of_the_view_agree_with_reading_it_whole(view: PlayableView) -> None:
    whole = view.readall()
    assert len(whole) == view.size_bytes
    sidx = next(find(whole, b"sidx"))
    for start in (
        0,
        sidx.offset - 3,
        sidx.end - 5,
        sidx.end,
        len(whole) - 7,
        len(whole),
        len(whole) + 9,
    ):
        view.seek(start)
        assert view.read(5000) == whole[start : start + 5000]


def test_the_segment_index_ends_with_the_view(view: PlayableView) -> None:
    whole = view.readall()
    sidx = next(find(whole, b"sidx"))
    table = payload(whole, sidx)[32:]
    sizes = [int.from_bytes(table[at : at + 4], "big") for at in range(0, len(table), 12)]
    assert sidx.end + sum(sizes) == len(whole)
    begins = [sidx.end + sum(sizes[:number]) for number in range(len(sizes))]
    moofs = {box.offset for box in walk(io.BytesIO(whole)) if box.type == b"moof"}
    assert moofs.issuperset(begins)


def test_the_segment_index_states_time_size_and_that_each_entry_starts_with_a_key_frame() -> None:
    stretches = [Stretch(900, 5000, 400, 2000), Stretch(5900, 7000, 2400, 1500)]
    sidx = make_sidx(FragmentIndex(Track(3, 1000)), stretches)
    head = struct.unpack_from(">4sIIIQQHH", sidx, 4)
    assert head == (b"sidx", 1 << 24, 3, 1000, 400, 0, 0, 2)
    # The top bit of the last word is starts_with_SAP, the next three are the type.
    assert struct.unpack_from(">6I", sidx, 40) == (5000, 2000, 9 << 28, 7000, 1500, 9 << 28)


def test_the_duration_is_stated_in_the_time_scale_of_the_movie(view: PlayableView) -> None:
    whole = view.readall()
    (mvhd,) = find(whole, b"moov", b"mvhd")
    (mehd,) = find(whole, b"moov", b"mvex", b"mehd")
    (timescale,) = struct.unpack_from(">I", payload(whole, mvhd), 12)
    (duration,) = struct.unpack_from(">Q", payload(whole, mehd), 4)
    assert duration / timescale == pytest.approx(view.duration_s, abs=0.01)


def test_the_index_joins_neighbours_when_the_box_cannot_list_all() -> None:
    stretches = [Stretch(number * 10, 10, number * 3, 3) for number in range(140_001)]
    sidx = make_sidx(FragmentIndex(Track(1, 1000)), stretches)
    table = sidx[40:]
    entries = [table[at : at + 12] for at in range(0, len(table), 12)]
    assert len(entries) == int.from_bytes(sidx[38:40], "big") <= 0xFFFF
    assert sum(int.from_bytes(entry[:4], "big") for entry in entries) == 1_400_010
    assert sum(int.from_bytes(entry[4:8], "big") for entry in entries) == 420_003


def test_a_recording_with_nothing_but_its_start_gives_a_view_without_pictures(
    fragmented_mp4: bytes, record_mp4: Callable[..., Path], key: bytes
) -> None:
    first = next(find(fragmented_mp4, b"moof"))
    path = record_mp4(fragmented_mp4[: first.offset], sealed=False)
    with PlayableView(open_recording(path, key, allow_unsealed=True)) as view:
        assert view.duration_s == 0
        assert [box.type for box in walk(view)] == [b"ftyp", b"moov"]


def test_a_legacy_mp4_passes_through_unchanged(tmp_path: Path, key: bytes) -> None:
    path = tmp_path / "plain.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=s=64x64:r=5:d=1", "-c:v", "libx264"]
    subprocess.run(["ffmpeg", "-v", "error", *source, path], check=True)
    mp4, iv = path.read_bytes(), b"\7" * 16
    encrypted = iv + Cipher(AES(key), CTR(iv)).encryptor().update(mp4)
    with PlayableView(LegacyRecordingReader(io.BytesIO(encrypted), key)) as view:
        assert view.duration_s is None
        assert view.readall() == mp4


def test_an_index_that_padding_made_wrong_is_not_believed(
    fragmented_mp4: bytes, key: bytes, metadata: RecordingMetadata
) -> None:
    (mfra,) = find(fragmented_mp4, b"mfra")
    (moov,) = find(fragmented_mp4, b"moov")
    file = io.BytesIO()
    writer = RecordingWriter(file, key, metadata)
    writer.write(fragmented_mp4[: moov.end])
    writer.flush()
    writer.write(fragmented_mp4[moov.end : mfra.offset])
    writer.seal(fragmented_mp4[mfra.offset :])
    with PlayableView(RecordingReader(io.BytesIO(file.getvalue()), key)) as view:
        assert view.duration_s == pytest.approx(20, abs=0.1)
        assert view.index is not None
        assert len(view.index.stretches()) == 10


def test_a_recording_without_moov_is_refused(record: Callable[..., bytes], key: bytes) -> None:
    reader = RecordingReader(io.BytesIO(record([])), key)
    with pytest.raises(NotPlayable, match="moov"):
        PlayableView(reader)
    assert not reader.closed


def test_closing_the_view_closes_the_recording_and_its_file(view: PlayableView) -> None:
    source = view._source
    view.close()
    view.close()
    assert source.closed
    with pytest.raises(ValueError, match="closed"):
        view.read(1)


class _CountingFile(io.BytesIO):
    """Notes which segments are read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.segments: list[int] = []

    def read(self, size: int | None = -1, /) -> bytes:
        start = self.tell()
        data = super().read(size)
        if data:
            self.segments += range(
                start // SEGMENT_SIZE, (start + len(data) - 1) // SEGMENT_SIZE + 1
            )
        return data


@pytest.fixture(scope="module")
def hour(key: bytes, metadata: RecordingMetadata) -> bytes:
    """An hour of two frames a second, each a fragment, a key frame every 2 s."""
    command = [
        "ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc=s=64x48:r=2:d={HOUR_S}",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "4", "-pix_fmt", "yuv420p",
        "-movflags", "empty_moov+default_base_moof+frag_keyframe",
        "-frag_duration", "400000", "-f", "mp4", "-",
    ]  # fmt: skip
    mp4 = subprocess.run(command, capture_output=True, check=True, timeout=90).stdout
    file = io.BytesIO()
    writer = Mp4RecordingWriter(RecordingWriter(file, key, metadata))
    writer.write(mp4)
    writer.seal()
    return file.getvalue()


def test_a_cold_read_in_an_hour_touches_only_its_own_segments(hour: bytes, key: bytes) -> None:
    assert len(hour) > 7000 * SEGMENT_SIZE
    file = _CountingFile(hour)
    reader = RecordingReader(file, key)
    assert len(file.segments) <= 4
    file.segments.clear()
    reader.seek(reader.size_bytes * 9 // 10)
    assert len(reader.read(1000)) == 1000
    # Segments of the stream do not begin at multiples of their size in the file.
    assert len(set(file.segments)) <= 3


def test_opening_the_view_of_an_hour_reads_its_start_its_index_and_its_last_stretch(
    hour: bytes, key: bytes
) -> None:
    file = _CountingFile(hour)
    view = PlayableView(RecordingReader(file, key))
    assert view.duration_s == HOUR_S
    index_segments = 1800 * 19 // SEGMENT_SIZE + 2
    assert len(set(file.segments)) <= index_segments + 20
    file.segments.clear()
    view.seek(view.size_bytes // 2)
    view.read(64 * 1024)
    assert len(set(file.segments)) <= 18


def test_opening_an_unsealed_hour_reads_each_segment_at_most_a_few_times(
    hour: bytes, key: bytes
) -> None:
    file = _CountingFile(hour[: len(hour) * 9 // 10])
    view = PlayableView(RecordingReader(file, key, allow_unsealed=True))
    assert view.duration_s == pytest.approx(HOUR_S * 0.9, rel=0.02)
    assert len(file.segments) <= 3 * len(hour) / SEGMENT_SIZE
