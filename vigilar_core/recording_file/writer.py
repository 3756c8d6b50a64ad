"""Writes a recording file while it is being recorded; plaintext never touches the disk.

After every fragment :meth:`RecordingWriter.flush` fills the segment up with an ISO BMFF ``free``
box, which players skip. All that is on disk are therefore whole segments of one size, each
verifiable by itself, and a process killed at any instant loses no fragment flushed before.

The last segment of a sealed file is always **empty**: 16 bytes, only a tag. It authenticates the
length of the file. Being the same for every way in which a file can end at a given index, it can
be added later by :func:`~vigilar_core.recording_file.salvage.salvage` without using a nonce for
two contents.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO

from vigilar_core.recording_file import header as clear_header
from vigilar_core.recording_file.boxes import free_box
from vigilar_core.recording_file.errors import RecordingInUse
from vigilar_core.recording_file.header import DEFAULT_SEGMENT_SIZE, RecordingMetadata
from vigilar_core.recording_file.segments import MAX_SEGMENTS, SegmentCipher

#: Plaintext gathered before it is written without waiting for a flush, in bytes.
_BUFFER_LIMIT = 1 << 20
_MIN_BOX_SIZE = 8


@dataclass(frozen=True, slots=True)
class SealedFile:
    """The finished file, as the store notes it.

    Parameters:
        size_bytes: size of the file.
        sha256: digest of the file as it lies on disk, hexadecimal.
    """

    size_bytes: int
    sha256: str


class RecordingWriter:
    """Encrypts a fragmented MP4 into a file as it comes.

    As a context manager it seals the file when the block ends well, and leaves it unsealed, but
    readable up to the last flush, when the block raises. The file stays open; the caller owns it.

    Parameters:
        file: empty, writable and unbuffered (``open(path, "xb", buffering=0)``). It is locked
            against :func:`salvage` for as long as it is open.
        key: 32 bytes of key material.
        metadata: what stands in the clear header.
        segment_size: size of a ciphertext segment in bytes.

    Raises:
        OSError: the header could not be written.
        RecordingInUse: another process holds the lock of the file.
    """

    def __init__(
        self,
        file: BinaryIO | io.RawIOBase,
        key: bytes,
        metadata: RecordingMetadata,
        *,
        segment_size: int = DEFAULT_SEGMENT_SIZE,
    ) -> None:
        header = clear_header.build(metadata, key, segment_size)
        lock(file)
        self.metadata = metadata
        self._file = file
        self._cipher = SegmentCipher.fresh(header, key)
        self._index = 0
        self._pending = bytearray()
        self._refusal: str | None = None
        self._sha256 = hashlib.sha256()
        self._size_bytes = 0
        self._put(header.encoded + self._cipher.stream_header)

    @property
    def position(self) -> int:
        """Length of the plaintext so far, in bytes, padding included."""
        return self._cipher.plain_offset(self._index) + len(self._pending)

    @property
    def size_bytes(self) -> int:
        """Bytes handed to the file so far."""
        return self._size_bytes

    def write(self, data: bytes) -> int:
        """Take plaintext; it is on disk, at the latest, after the next :meth:`flush`.

        Raises:
            OSError: the disk is full or broken; the writer refuses everything from then on.
        """
        self._refuse_if_over()
        self._pending += data
        if len(self._pending) >= _BUFFER_LIMIT:
            self._put(self._full_segments())
        return len(data)

    def flush(self) -> None:
        """Put all plaintext on disk; call it between two top-level boxes only.

        Raises:
            OSError: the disk is full or broken; the writer refuses everything from then on.
        """
        self._refuse_if_over()
        self._pad(0)
        self._put(self._full_segments())

    def seal(self, trailer: bytes = b"", *, durable: bool = True) -> SealedFile:
        """Write what is left and the last segment; afterwards the file is complete.

        Parameters:
            trailer: boxes that become the very end of the plaintext, such as ``mfra``.
            durable: wait until the disk holds the file (``fsync``).

        Raises:
            OSError: the disk is full or broken; the file is a valid prefix, but not sealed.
        """
        self._refuse_if_over()
        self._pad(len(trailer))
        self._pending += trailer
        segments = self._full_segments()
        self._put(segments + self._cipher.encrypt(self._index, b"", last=True))
        if durable:
            self._sync()
        self._refusal = "it is sealed"
        return SealedFile(self._size_bytes, self._sha256.hexdigest())

    def __enter__(self) -> RecordingWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and self._refusal is None:
            self.seal()
        elif self._refusal is None:
            self._refusal = "it was left after an error"

    def _pad(self, following: int) -> None:
        """Add a ``free`` box so that the plaintext ends a segment ``following`` bytes later."""
        filled = self.position + following
        index, inside = self._cipher.locate(filled)
        if inside == 0:
            return
        gap = self._cipher.capacity(index) - inside
        if gap < _MIN_BOX_SIZE:
            gap += self._cipher.capacity(index + 1)
        self._pending += free_box(gap)

    def _full_segments(self) -> bytes:
        parts: list[bytes] = []
        taken = 0
        while len(self._pending) - taken >= (capacity := self._cipher.capacity(self._index)):
            if self._index >= MAX_SEGMENTS - 1:
                raise OSError(errno.EFBIG, "the recording has no segment numbers left")
            plaintext = bytes(self._pending[taken : taken + capacity])
            parts.append(self._cipher.encrypt(self._index, plaintext, last=False))
            self._index += 1
            taken += capacity
        del self._pending[:taken]
        return b"".join(parts)

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                # A short write is retried so that the system names its cause (ENOSPC, EDQUOT …).
                written = self._file.write(rest)
                if not written:
                    raise OSError(errno.EIO, "the recording file takes no more bytes")
                rest = rest[written:]
        except OSError:
            self._fail()
            raise
        self._sha256.update(data)
        self._size_bytes += len(data)

    def _sync(self) -> None:
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except io.UnsupportedOperation:
            return  # A file in memory has no disk to wait for.
        except OSError:
            self._fail()
            raise

    def _fail(self) -> None:
        self._refusal = "writing failed"
        self._pending.clear()

    def _refuse_if_over(self) -> None:
        if self._refusal is not None:
            raise ValueError(f"the recording takes no more data: {self._refusal}")


def lock(file: BinaryIO | io.RawIOBase) -> None:
    """Lock a file for writing until it is closed; the system unlocks it when the process dies.

    Raises:
        RecordingInUse: another process holds the lock.
    """
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except io.UnsupportedOperation:
        return  # A file in memory belongs to this process alone.
    except BlockingIOError as error:
        raise RecordingInUse("the recording is being written by another process") from error
    except OSError as error:
        # Some network file systems have no locks; recording matters more there.
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
