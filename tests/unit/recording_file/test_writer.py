"""Writing: what is on disk after a flush, after a kill, after the disk is full."""

from __future__ import annotations

import errno
import io
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilar_core.recording_file import (
    RecordingDamaged,
    RecordingError,
    RecordingInUse,
    RecordingMetadata,
    RecordingReader,
    RecordingState,
    RecordingWriter,
    salvage,
)
from vigilar_core.recording_file.boxes import make_box, walk

_chunks = st.lists(st.binary(max_size=400), max_size=6)


def _unsealed(data: bytes, key: bytes) -> RecordingReader:
    return RecordingReader(io.BytesIO(data), key, allow_unsealed=True)


@settings(max_examples=200, deadline=None)
@given(chunks=_chunks, trailer=st.binary(max_size=500), segment_size=st.integers(96, 700))
def test_padding_keeps_every_box_and_the_trailer_ends_the_plaintext(
    key: bytes,
    metadata: RecordingMetadata,
    chunks: list[bytes],
    trailer: bytes,
    segment_size: int,
) -> None:
    file = io.BytesIO()
    writer = RecordingWriter(file, key, metadata, segment_size=segment_size)
    for chunk in chunks:
        writer.write(make_box(b"mdat", chunk))
        writer.flush()
    end = make_box(b"mfra", trailer)
    sealed = writer.seal(end)
    reader = RecordingReader(io.BytesIO(file.getvalue()), key)
    boxes = [(box, _content(reader, box.payload_offset, box.end)) for box in walk(reader)]
    assert [content for box, content in boxes if box.type == b"mdat"] == chunks
    assert all(not any(content) for box, content in boxes if box.type == b"free")
    assert boxes[-1][0].type == b"mfra"
    assert boxes[-1][0].end == reader.size_bytes
    assert sealed.size_bytes == len(file.getvalue())
    assert sealed.sha256 == sha256(file.getvalue()).hexdigest()


def test_a_flush_at_any_fill_level_of_a_segment_ends_at_a_segment(
    key: bytes, metadata: RecordingMetadata
) -> None:
    for size in range(8, 250):
        file = io.BytesIO()
        writer = RecordingWriter(file, key, metadata, segment_size=128)
        writer.write(make_box(b"mdat", bytes(size - 8)))
        writer.flush()
        reader = _unsealed(file.getvalue(), key)
        boxes = list(walk(reader))
        assert [box.type for box in boxes] in ([b"mdat"], [b"mdat", b"free"])
        assert boxes[-1].end == reader.size_bytes == writer.position
        assert reader.torn_bytes == 0


def _content(reader: RecordingReader, start: int, end: int) -> bytes:
    reader.seek(start)
    return reader.read(end - start)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_reads_at_random_places_return_what_was_written(
    key: bytes, metadata: RecordingMetadata, data: st.DataObject
) -> None:
    plaintext = data.draw(st.binary(max_size=3000))
    file = io.BytesIO()
    with RecordingWriter(file, key, metadata, segment_size=data.draw(st.integers(96, 300))) as out:
        out.write(plaintext)
    reader = RecordingReader(io.BytesIO(file.getvalue()), key)
    for _ in range(5):
        start, size = data.draw(st.integers(0, 3500)), data.draw(st.integers(0, 1000))
        reader.seek(start)
        expected = (plaintext + bytes(reader.size_bytes))[start : start + size]
        if start + size <= len(plaintext):
            assert reader.read(size) == expected


def test_every_prefix_of_a_file_being_written_holds_all_fragments_flushed_before(
    key: bytes, metadata: RecordingMetadata
) -> None:
    file = io.BytesIO()
    writer = RecordingWriter(file, key, metadata, segment_size=128)
    header_size = len(file.getvalue())
    flushed = [(header_size, 0)]
    for number in range(12):
        writer.write(make_box(b"mdat", bytes([number]) * (37 * number)))
        writer.flush()
        flushed.append((len(file.getvalue()), writer.position))
    complete = _unsealed(file.getvalue(), key).readall()
    writer.seal()
    data = file.getvalue()
    for size in range(header_size, len(data)):
        reader = _unsealed(data[:size], key)
        promised = max(plain for on_disk, plain in flushed if on_disk <= size)
        assert reader.state is RecordingState.UNSEALED
        assert promised <= reader.size_bytes <= len(complete)
        assert reader.readall() == complete[: reader.size_bytes]
    assert _unsealed(data, key).state is RecordingState.SEALED


def test_a_prefix_that_ends_inside_the_header_is_refused(
    record: Callable[..., bytes], key: bytes
) -> None:
    data = record([])
    header_size = len(_unsealed(data, key).cipher.header.encoded) + 40
    for size in range(header_size):
        with pytest.raises(RecordingError):
            _unsealed(data[:size], key)


_VICTIM = """
import sys
from vigilar_core.recording_file import RecordingMetadata, RecordingWriter
from vigilar_core.recording_file.boxes import make_box
file = open(sys.argv[1], "xb", buffering=0)
writer = RecordingWriter(file, bytes(range(32)), RecordingMetadata("r", "c", 1, "h264"))
for number in range(1 << 30):
    writer.write(make_box(b"mdat", number.to_bytes(4, "big") * 5000))
    writer.flush()
    print(number, flush=True)
"""


def test_a_killed_process_loses_no_fragment_it_reported_as_flushed(
    tmp_path: Path, key: bytes
) -> None:
    path = tmp_path / "killed.vge"
    root = str(Path(__file__).parents[3])
    environment = os.environ | {"PYTHONPATH": root}
    victim = subprocess.Popen(
        [sys.executable, "-c", _VICTIM, str(path)], stdout=subprocess.PIPE, env=environment
    )
    assert victim.stdout is not None
    with victim:
        for line in victim.stdout:
            if int(line) >= 50:
                break
        with pytest.raises(RecordingInUse):
            salvage(path, key)
        victim.send_signal(signal.SIGKILL)
        reported = [
            int(line),
            *(int(line) for line in victim.stdout.readlines() if line.endswith(b"\n")),
        ]
    salvage(path, key)
    with RecordingReader(path.open("rb"), key) as reader:
        mdats = [box for box in walk(reader) if box.type == b"mdat"]
        assert len(mdats) > reported[-1]
        for number, box in enumerate(mdats):
            content = _content(reader, box.payload_offset, box.end)
            assert content == number.to_bytes(4, "big") * 5000


@contextmanager
def _file_size_limit(size_bytes: int) -> Iterator[None]:
    """The kernel writes short at the limit and refuses beyond it, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [5000, 8192, 10_001, 12_527, 20_000])
def test_a_disk_that_fills_up_raises_and_leaves_a_readable_prefix(
    tmp_path: Path, key: bytes, metadata: RecordingMetadata, room: int
) -> None:
    path = tmp_path / "full.vge"
    kept = 0
    with path.open("xb", buffering=0) as file:
        writer = RecordingWriter(file, key, metadata)
        with _file_size_limit(room), pytest.raises(OSError, match="File too large") as caught:
            for number in range(10):
                writer.write(make_box(b"mdat", bytes([number]) * 3000))
                writer.flush()
                kept = writer.position
        assert caught.value.errno == errno.EFBIG
        for refused in (lambda: writer.write(b"x"), writer.flush, writer.seal):
            with pytest.raises(ValueError, match="writing failed"):
                refused()
    assert path.stat().st_size == room
    salvaged = salvage(path, key)
    assert salvaged.discarded_bytes > 0
    with RecordingReader(path.open("rb"), key) as reader:
        reader.verify()
        assert reader.size_bytes >= kept


def test_a_disk_without_room_for_the_header_raises_at_once(
    key: bytes, metadata: RecordingMetadata
) -> None:
    with open("/dev/full", "wb", buffering=0) as file, pytest.raises(OSError) as caught:
        RecordingWriter(file, key, metadata)
    assert caught.value.errno == errno.ENOSPC


def test_nothing_of_the_plaintext_reaches_the_file(record: Callable[..., bytes]) -> None:
    secret = b"an unmistakable sentence in the picture"
    assert secret not in record([secret * 50])


def test_two_recordings_of_the_same_content_share_no_segment(
    record: Callable[..., bytes], key: bytes
) -> None:
    first, second = record([bytes(1000)]), record([bytes(1000)])
    begin = len(_unsealed(first, key).cipher.header.encoded)
    blocks = [
        {data[at : at + 16] for at in range(begin, len(data) - 15)} for data in (first, second)
    ]
    assert not blocks[0] & blocks[1]


def test_leaving_the_block_normally_seals(key: bytes, metadata: RecordingMetadata) -> None:
    file = io.BytesIO()
    with RecordingWriter(file, key, metadata) as writer:
        writer.write(b"0123")
    reader = RecordingReader(io.BytesIO(file.getvalue()), key)
    assert reader.read(4) == b"0123"
    assert reader.metadata == metadata


def test_leaving_the_block_by_an_error_keeps_what_was_flushed_and_does_not_seal(
    key: bytes, metadata: RecordingMetadata
) -> None:
    file = io.BytesIO()
    with (
        pytest.raises(LookupError),
        RecordingWriter(file, key, metadata, segment_size=128) as writer,
    ):
        writer.write(b"kept")
        writer.flush()
        writer.write(b"lost")
        raise LookupError
    with pytest.raises(RecordingDamaged):
        RecordingReader(io.BytesIO(file.getvalue()), key)
    assert b"kept" in _unsealed(file.getvalue(), key).readall()
    with pytest.raises(ValueError, match="left after an error"):
        writer.flush()


def test_a_sealed_writer_takes_nothing_more(key: bytes, metadata: RecordingMetadata) -> None:
    writer = RecordingWriter(io.BytesIO(), key, metadata)
    writer.seal()
    with pytest.raises(ValueError, match="it is sealed"):
        writer.write(b"x")


def test_long_writes_without_a_flush_go_to_the_file_in_between(
    key: bytes, metadata: RecordingMetadata
) -> None:
    file = io.BytesIO()
    writer = RecordingWriter(file, key, metadata)
    for _ in range(40):
        writer.write(bytes(100_000))
    assert len(file.getvalue()) > 2_900_000
