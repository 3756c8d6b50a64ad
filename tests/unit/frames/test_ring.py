from __future__ import annotations

import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from vigilar_core.frames import RingEntry, RingReader, RingWriter

PAYLOAD_BYTES = 1 << 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rings" / "hall.gray8"


def test_an_entry_comes_out_as_it_went_in(path: Path) -> None:
    with RingWriter(path) as writer:
        writer.write(b"pixels", note=b"{}", time_us=7, monotonic_ns=9)
        assert RingReader(path).latest() == RingEntry(1, 7, 9, b"{}", b"pixels")


def test_the_same_entry_is_not_given_twice(path: Path) -> None:
    with RingWriter(path) as writer:
        reader = RingReader(path)
        writer.write(b"x")
        assert reader.latest() is not None
        assert reader.latest() is None


def test_a_reader_may_come_before_the_writer(path: Path) -> None:
    reader = RingReader(path)
    assert reader.latest() is None
    assert list(reader.following()) == []
    with RingWriter(path) as writer:
        writer.write(b"x")
        assert reader.latest() is not None


def test_latest_skips_and_counts_from_the_readers_first_entry_on(path: Path) -> None:
    with RingWriter(path, slots=4) as writer:
        reader = RingReader(path)
        for number in range(100):
            writer.write(bytes([number]))
        assert (reader.latest() or pytest.fail()).payload == bytes([99])
        assert reader.skipped == 0  # it was not there for the others
        for number in range(100, 110):
            writer.write(bytes([number]))
        assert (reader.latest() or pytest.fail()).payload == bytes([109])
        assert reader.skipped == 9


def test_following_gives_what_is_left_in_order_and_counts_the_rest(path: Path) -> None:
    with RingWriter(path, slots=4) as writer:
        reader = RingReader(path)
        writer.write(b"first")
        assert [entry.payload for entry in reader.following()] == [b"first"]
        for number in range(10):
            writer.write(bytes([number]))
        assert [entry.number for entry in reader.following()] == [8, 9, 10, 11]
        assert reader.skipped == 6


def test_a_larger_entry_opens_a_new_generation_that_readers_follow(path: Path) -> None:
    with RingWriter(path, slot_bytes=100) as writer:
        reader = RingReader(path)
        writer.write(b"small")
        assert (reader.latest() or pytest.fail()).payload == b"small"
        writer.write(b"L" * 50_000)
        assert (reader.latest() or pytest.fail()).payload == b"L" * 50_000
        writer.write(b"small again")
        assert (reader.latest() or pytest.fail()).payload == b"small again"
    assert list(path.parent.iterdir()) == []


def test_a_generation_is_a_new_file_so_old_memory_never_gets_a_new_shape(path: Path) -> None:
    with RingWriter(path, slot_bytes=100) as writer:
        first = path.read_text()
        writer.write(b"L" * 50_000)
        assert path.read_text() != first
        assert not path.with_name(first).exists()


def test_a_writer_that_died_is_replaced_and_its_reader_goes_on(path: Path) -> None:
    dead = RingWriter(path)
    dead.write(b"before")
    reader = RingReader(path)
    reader.latest()
    with RingWriter(path) as writer:  # no close of the first: it was killed
        writer.write(b"after")
        assert (reader.latest() or pytest.fail()).payload == b"after"


def test_a_closed_ring_is_gone_for_readers(path: Path) -> None:
    writer = RingWriter(path)
    writer.write(b"x")
    reader = RingReader(path)
    reader.latest()
    writer.close()
    assert reader.latest() is None


def test_a_ring_needs_two_slots(path: Path) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        RingWriter(path, slots=1)


@pytest.mark.parametrize("content", ["", "other.1", "hall.gray8.x", "../hall.gray8.1", "\0"])
def test_a_pointer_that_leads_elsewhere_is_no_ring(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert RingReader(path).latest() is None


headers = st.builds(
    lambda *numbers: struct.pack("<8sQQQ32x", b"VGRING01", *numbers),
    *[st.sampled_from([0, 1, 2, 4, 7, 4096, 8192, 2**40, 2**63])] * 3,
)
contents = st.builds(
    lambda header, rest: header + rest, st.one_of(st.just(b""), headers), st.binary(max_size=500)
).flatmap(lambda start: st.sampled_from([start, start.ljust(12_288, b"\0")]))


@given(content=contents)
@settings(max_examples=150, deadline=None)
def test_a_file_of_any_content_is_never_read_as_entries(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("ring") / "r"
    path.write_text("r.1")
    path.with_name("r.1").write_bytes(content)
    reader = RingReader(path)
    assert reader.latest() is None
    assert sum(1 for _ in reader.following()) == 0


def test_a_full_file_system_is_an_error_and_not_the_end_of_the_process(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)], check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        with RingWriter(folder / "ring", slots=4, slot_bytes=10_000) as writer:
            writer.write(b"fits")
            with pytest.raises(OSError, match="No space left"):
                writer.write(b"x" * 200_000)
            reader = RingReader(folder / "ring")
            assert (reader.latest() or pytest.fail()).payload == b"fits"
            reader.close()
    finally:
        subprocess.run(["umount", str(folder)], check=True)


class Ring(RuleBasedStateMachine):
    """A ring beside a list: the list forgets nothing."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "r"
        self.writer = RingWriter(path, slots=3, slot_bytes=200)
        self.reader = RingReader(path)
        self.written: list[bytes] = []
        self.got: list[bytes] = []
        self.lost = 0
        self.lost_before_first = 0

    def take(self, fresh: list[bytes], found: list[bytes]) -> None:
        self.lost += len(fresh) - len(found)
        if not self.got:
            self.lost_before_first = self.lost
        self.got += found

    @rule(payload=st.binary(max_size=150))
    def write(self, payload: bytes) -> None:
        self.writer.write(payload)
        self.written.append(payload)

    @rule()
    def latest(self) -> None:
        entry = self.reader.latest()
        fresh = self.written[len(self.got) + self.lost :]
        assert (entry is not None) == bool(fresh)
        if entry is not None:
            assert entry.payload == fresh[-1]
            self.take(fresh, [entry.payload])

    @rule()
    def follow(self) -> None:
        fresh = self.written[len(self.got) + self.lost :]
        found = [entry.payload for entry in self.reader.following()]
        assert found == fresh[-3:]
        if found:
            self.take(fresh, found)

    @invariant()
    def what_was_lost_after_the_first_entry_is_counted(self) -> None:
        assert self.reader.skipped == self.lost - self.lost_before_first

    def teardown(self) -> None:
        self.reader.close()
        self.writer.close()
        self.folder.cleanup()


TestRing = Ring.TestCase
TestRing.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


# ------------------------------------------------------------------ torn reads

_WRITER = f"""
import sys, pathlib
from vigilar_core.frames import RingWriter
writer = RingWriter(pathlib.Path(sys.argv[1]), slots=2, slot_bytes={PAYLOAD_BYTES})
payloads = [bytes([value]) * {PAYLOAD_BYTES} for value in range(8)]
number = 0
while True:
    number += 1
    writer.write(payloads[number % 8], time_us=number)
"""


@pytest.fixture
def busy_writer(path: Path) -> Iterator[Path]:
    """A process that overwrites two slots as fast as it can, each payload of one byte value."""
    process = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)])
    yield path
    process.kill()
    process.wait()


class CarelessReader(RingReader):
    """Takes what it copied without asking whether it was written meanwhile."""

    def _was_written_meanwhile(self, lock: int, word: int) -> bool:
        return False


def is_torn(entry: RingEntry) -> bool:
    value = entry.payload[0]
    return value != entry.time_us % 8 or entry.payload.count(value) < PAYLOAD_BYTES


def reading(reader: RingReader, entries: int, within_s: float) -> Iterator[RingEntry]:
    """So many entries, the oldest first because they are overwritten soonest."""
    deadline, found = time.monotonic() + within_s, 0
    while found < entries and time.monotonic() < deadline:
        for entry in reader.following():
            yield entry
            found += 1
            if found >= entries or time.monotonic() > deadline:
                return


def test_an_entry_is_never_a_mixture_of_two(busy_writer: Path) -> None:
    found = [is_torn(entry) for entry in reading(RingReader(busy_writer), 1500, within_s=10)]
    assert len(found) >= 200
    assert not any(found)


def test_without_the_counter_mixtures_are_seen(busy_writer: Path) -> None:
    """The control: shows that the test above would find them."""
    assert any(map(is_torn, reading(CarelessReader(busy_writer), 50_000, within_s=30)))
