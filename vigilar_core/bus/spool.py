"""The spool: events of one publisher that the ledger has not acknowledged yet, on disk.

One file per service, appended to, with a header that tells where the oldest frame still owed
stands. What it survives and what not: the kernel keeps written pages when a process is killed, so
kill -9 at any instant costs nothing but a torn last frame, which was never handed to anybody. It
is not synced to the disk: that would cost a disk write per event in the path of video, and after
a power cut an event that the ledger had not committed was never promised to anybody.

Acknowledgements move only the offset in the header. Should that be lost, events are sent again
and the ledger recognises their ids.
"""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import struct
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import structlog

from vigilar_core.bus.spool_frames import Frame, encode_frame, scan_frames
from vigilar_core.errors import NotReadyError
from vigilar_core.events import Severity

_log = structlog.get_logger(__name__)

_MAGIC: Final = b"VGSPOOL1"
#: Magic, offset of the oldest owed frame, last sequence number given.
_HEADER = struct.Struct(">8sQQ")
_SEVERITIES: Final = tuple(Severity)
_RANK: Final = {severity: rank for rank, severity in enumerate(_SEVERITIES)}
_COMPACT_BYTES: Final = 1024 * 1024
_COPY_BYTES: Final = 1024 * 1024
_UNWRITTEN_LIMIT: Final = 1000

#: Default bound of one service's file: more than 100 000 events of ordinary size.
LIMIT_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SpooledEvent:
    """An event as it waits: everything of its envelope but the time of sending.

    :param members: ``id, seq, time_us, kind, data, caused_by, hops``
    """

    topic: str
    severity: Severity
    members: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.members["id"])

    def encode(self) -> bytes:
        record = {"topic": self.topic, **self.members}
        body = json.dumps(record, separators=(",", ":"), allow_nan=False).encode("ascii")
        return encode_frame(_RANK[self.severity], body)

    @classmethod
    def decode(cls, frame: Frame) -> SpooledEvent:
        members = json.loads(frame.body)
        return cls(members.pop("topic"), _SEVERITIES[frame.rank], members)


class Spool:
    """The file of one service; one process at a time, one thread at a time.

    :param path: made when missing
    :param limit_bytes: beyond it events are dropped, lowest severity first, oldest first
    :raises NotReadyError: another process holds it
    """

    def __init__(self, path: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._limit = limit_bytes
        self._file = _open_locked(path)
        #: Events given up for want of room, by severity.
        self.dropped: Counter[Severity] = Counter()
        #: Bytes that were no frame when the file was opened.
        self.damaged_bytes = 0
        #: Handed out and not acknowledged: id → where its frame starts; in the file's order.
        self._open: OrderedDict[str, int] = OrderedDict()
        #: What the disk did not take: waiting, and handed out.
        self._unwritten: deque[SpooledEvent] = deque()
        self._unwritten_open: set[str] = set()
        self._count = 0
        #: Offsets: of the oldest owed frame, of the next to hand out, of the end.
        self._head = self._cursor = self._tail = _HEADER.size
        self._seq = 0
        self._load()

    @property
    def pending(self) -> int:
        """How many events are owed."""
        return self._count + len(self._unwritten) + len(self._unwritten_open)

    @property
    def size_bytes(self) -> int:
        """Bytes of the file from the oldest owed event on."""
        return self._tail - self._head

    @property
    def waiting(self) -> bool:
        """Whether :meth:`take` has something."""
        return self._cursor < self._tail or bool(self._unwritten)

    def next_seq(self) -> int:
        """The publisher's next sequence number."""
        self._seq += 1
        return self._seq

    def append(self, event: SpooledEvent) -> None:
        """Keep an event; when the disk takes nothing, in memory, as far as there is room."""
        if self._unwritten or not self._write(event.encode()):
            self._unwritten.append(event)
            if len(self._unwritten) > _UNWRITTEN_LIMIT:
                self._drop_unwritten()

    def take(self, limit: int) -> list[SpooledEvent]:
        """The oldest events not handed out before, in order."""
        taken: list[SpooledEvent] = []
        for frame in self._frames(self._cursor):
            if len(taken) == limit:
                return taken
            event = SpooledEvent.decode(frame)
            self._cursor = frame.end
            self._open[event.id] = frame.offset
            taken.append(event)
        self._cursor = self._tail
        while self._unwritten and len(taken) < limit:
            event = self._unwritten.popleft()
            self._unwritten_open.add(event.id)
            taken.append(event)
        return taken

    def acknowledge(self, ids: Iterable[str]) -> None:
        """Forget events that were handed out; unknown ids mean nothing."""
        for event_id in ids:
            if self._open.pop(event_id, None) is not None:
                self._count -= 1
            self._unwritten_open.discard(event_id)
        head = next(iter(self._open.values())) if self._open else self._cursor
        if head == self._head:
            return
        self._head = head
        if head == self._tail:
            # The header first: killed in between, old events are sent again, none is lost.
            self._head = _HEADER.size
            self._write_header()
            self._truncate(_HEADER.size)
            self._cursor = _HEADER.size
            return
        if head - _HEADER.size > max(_COMPACT_BYTES, 2 * self.size_bytes):
            self._rewrite(drop_bytes=0)
        self._write_header()

    def close(self) -> None:
        """Release the file; what is owed stays in it."""
        if self._file.closed:
            return
        while self._unwritten:
            event = self._unwritten.popleft()
            if not self._write(event.encode()):
                break
        self._write_header()
        self._file.close()

    # ------------------------------------------------------------------ the file

    def _load(self) -> None:
        descriptor = self._file.fileno()
        size = os.fstat(descriptor).st_size
        header = os.pread(descriptor, _HEADER.size, 0)
        self._tail = max(size, _HEADER.size)
        if len(header) == _HEADER.size and header.startswith(_MAGIC):
            _, head, self._seq = _HEADER.unpack(header)
            if _HEADER.size <= head <= size:
                self._head = head
        expected, newest = self._head, None
        for frame in self._frames(self._head):
            self.damaged_bytes += frame.offset - expected
            expected = frame.end
            self._count += 1
            newest = frame
        if newest is not None:
            self._seq = max(self._seq, SpooledEvent.decode(newest).members["seq"])
        self.damaged_bytes += self._tail - expected
        self._truncate(expected)
        self._cursor = self._head
        self._write_header()
        if self.damaged_bytes:
            _log.warning("spool repaired", path=str(self._path), lost_bytes=self.damaged_bytes)

    def _frames(self, start: int) -> Iterator[Frame]:
        return scan_frames(self._file.fileno(), start, self._tail)

    def _write(self, frame: bytes) -> bool:
        if self.size_bytes + len(frame) > self._limit:
            self._rewrite(drop_bytes=len(frame) + self._limit // 10)
            if self.size_bytes + len(frame) > self._limit:
                return False
        try:
            written = os.pwrite(self._file.fileno(), frame, self._tail)
            if written < len(frame):
                self._truncate(self._tail)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            _log.warning("spool not written", path=str(self._path), error=error.strerror)
            return False
        self._tail += written
        self._count += 1
        return True

    def _write_header(self) -> None:
        try:
            os.pwrite(self._file.fileno(), _HEADER.pack(_MAGIC, self._head, self._seq), 0)
        except OSError as error:
            # An old header only means that acknowledged events are sent again.
            _log.warning("spool header not written", path=str(self._path), error=error.strerror)

    def _truncate(self, size: int) -> None:
        os.ftruncate(self._file.fileno(), size)
        self._tail = size

    # ---------------------------------------------------------------- housekeeping

    def _rewrite(self, *, drop_bytes: int) -> None:
        """Write what is owed to a new file, without as many bytes of the least severe."""
        kept, doomed = self._sort_out(drop_bytes)
        aside = self._path.with_suffix(".new")
        try:
            new = _open_locked(aside)
            os.ftruncate(new.fileno(), 0)
            os.pwrite(new.fileno(), _HEADER.pack(_MAGIC, _HEADER.size, self._seq), 0)
            _copy(self._file.fileno(), new.fileno(), kept)
            aside.rename(self._path)
        except OSError as error:
            _log.warning("spool not compacted", path=str(self._path), error=error.strerror)
            return
        self._file.close()
        self._file = new
        self._renumber(kept)
        self._count -= len(doomed)
        self.dropped.update(_SEVERITIES[frame.rank] for frame in doomed)

    def _sort_out(self, drop_bytes: int) -> tuple[list[Frame], list[Frame]]:
        """The frames to keep and those to give up, both without their bodies."""
        opened = set(self._open.values())
        owed = [
            replace(frame, body=b"")
            for frame in self._frames(self._head)
            if frame.offset in opened or frame.offset >= self._cursor
        ]
        doomed = []
        for frame in sorted(owed, key=lambda frame: (frame.rank, frame.offset)):
            if drop_bytes <= 0:
                break
            doomed.append(frame)
            drop_bytes -= frame.end - frame.offset
        gone = {frame.offset for frame in doomed}
        return [frame for frame in owed if frame.offset not in gone], doomed

    def _renumber(self, kept: list[Frame]) -> None:
        """Where everything stands after the kept frames have moved together."""
        moved, place = {}, _HEADER.size
        for frame in kept:
            moved[frame.offset] = place
            place += frame.end - frame.offset
        self._open = OrderedDict(
            (event_id, moved[offset]) for event_id, offset in self._open.items() if offset in moved
        )
        waiting = (new for old, new in moved.items() if old >= self._cursor)
        self._head, self._tail, self._cursor = _HEADER.size, place, min(waiting, default=place)

    def _drop_unwritten(self) -> None:
        victim = min(self._unwritten, key=lambda event: _RANK[event.severity])
        self._unwritten.remove(victim)
        self.dropped[victim.severity] += 1


def _open_locked(path: Path) -> io.FileIO:
    """A file that this process alone has open.

    :raises NotReadyError: another process has
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        file = io.FileIO(descriptor, "r+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise NotReadyError(f"another process holds the spool {path}") from None
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            return file
        file.close()  # its holder replaced the file just before letting go of it


def _copy(source: int, target: int, kept: list[Frame]) -> None:
    """Append frames to a file, neighbours in one go."""
    runs: list[list[int]] = []
    for frame in kept:
        if runs and runs[-1][1] == frame.offset:
            runs[-1][1] = frame.end
        else:
            runs.append([frame.offset, frame.end])
    place = _HEADER.size
    for start, end in runs:
        while start < end:
            chunk = os.pread(source, min(_COPY_BYTES, end - start), start)
            if os.pwrite(target, chunk, place) < len(chunk) or not chunk:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            start, place = start + len(chunk), place + len(chunk)
