"""Reads a recording file at random; every byte handed out has been authenticated."""

from __future__ import annotations

import enum
import os
from collections import OrderedDict
from collections.abc import Iterator
from typing import BinaryIO

from vigilar_core.recording_file.errors import RecordingDamaged
from vigilar_core.recording_file.header import RecordingMetadata
from vigilar_core.recording_file.random_access import RandomAccessFile
from vigilar_core.recording_file.segments import STREAM_HEADER_SIZE, TAG_SIZE, SegmentCipher

#: Segments fetched from the file at once while reading on; 1 MiB of the usual ones.
_BATCH = 256
#: Decrypted segments kept for short reads close to each other.
_CACHED = 32


class RecordingState(enum.Enum):
    """Whether the end of a recording is known to be its end."""

    #: The last segment is there: nothing is missing.
    SEALED = "sealed"
    #: Still being written, or the writer was killed: authentic as far as it goes.
    UNSEALED = "unsealed"


class RecordingReader(RandomAccessFile):
    """The plaintext of a recording as a seekable file.

    Opening verifies the last segment, which authenticates the length. A segment in the middle is
    verified when it is read; :meth:`verify` reads all. A damaged segment costs only itself: a
    read stops short in front of it, the next one raises, reading behind it works.

    Of an unsealed file all segments up to the last authentic one are read; what follows is a
    torn tail. That nobody shortened it on purpose cannot be told from the file alone, so open
    with ``allow_unsealed`` only what the store does not know as sealed.

    Parameters:
        file: readable and seekable; closed together with the reader.
        key: 32 bytes of key material.
        allow_unsealed: accept a file without its last segment.

    Raises:
        NotARecording: the magic bytes are missing.
        WrongKey: the file names another key.
        RecordingDamaged: the file is not what was written.
    """

    def __init__(self, file: BinaryIO, key: bytes, *, allow_unsealed: bool = False) -> None:
        self._file = file
        self._cipher = SegmentCipher.of_file(file, key)
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        stream_size = file.seek(0, os.SEEK_END) - self._cipher.stream_offset
        #: Whether the last segment was found.
        self.state = RecordingState.SEALED
        #: Bytes at the end of an unsealed file that belong to no whole segment.
        self.torn_bytes = 0
        self._count = -(-stream_size // self._cipher.segment_size)
        final = self._cipher.decrypt(self._count - 1, self._raw(self._count - 1, 1), last=True)
        if final is not None:
            self.size_bytes = self._cipher.plain_offset(self._count - 1) + len(final)
        elif allow_unsealed:
            self._open_unsealed(stream_size)
        else:
            self._refuse_unsealed()
        self._owned = file

    @property
    def metadata(self) -> RecordingMetadata:
        """What the clear header says; authentic unless the file has no whole segment yet."""
        return self._cipher.header.metadata

    @property
    def cipher(self) -> SegmentCipher:
        """Keys and geometry of this file."""
        return self._cipher

    @property
    def segment_count(self) -> int:
        """Number of authentic segments, the last one included."""
        return self._count

    def read_at(self, position: int, size: int) -> bytes:
        """Return up to ``size`` bytes; fewer only in front of a damaged segment.

        Raises:
            RecordingDamaged: the first segment needed is not authentic.
        """
        first, skip = self._cipher.locate(position)
        end, _ = self._cipher.locate(position + size - 1)
        parts: list[bytes] = []
        try:
            for plaintext in self._segments(first, end):
                parts.append(plaintext)  # noqa: PERF402 - what precedes damage is kept
        except RecordingDamaged:
            if not parts:
                raise
        return b"".join(parts)[skip : skip + size]

    def verify(self) -> None:
        """Authenticate every segment.

        Raises:
            RecordingDamaged: with the place of the first one that fails.
        """
        self._cache.clear()
        for _ in self._segments(0, self._count - 1):
            pass

    def _segments(self, first: int, end: int) -> Iterator[bytes]:
        index = first
        while index <= end:
            if (plaintext := self._cache.get(index)) is not None:
                self._cache.move_to_end(index)
                yield plaintext
                index += 1
                continue
            count = min(_BATCH, end - index + 1)
            yield from self._decrypt(index, self._raw(index, count), count)
            index += count

    def _decrypt(self, first: int, ciphertext: bytes, count: int) -> Iterator[bytes]:
        start = 0
        sealed_index = self._count - 1 if self.state is RecordingState.SEALED else -1
        for index in range(first, first + count):
            stop = start + self._cipher.capacity(index) + TAG_SIZE
            plaintext = self._cipher.decrypt(
                index, ciphertext[start:stop], last=index == sealed_index
            )
            if plaintext is None:
                raise RecordingDamaged(
                    f"segment {index} is not authentic", self._cipher.file_offset(index)
                )
            self._cache[index] = plaintext
            if len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
            yield plaintext
            start = stop

    def _raw(self, first: int, count: int) -> bytes:
        """Return the ciphertext of some segments, as far as the file goes."""
        start = self._cipher.file_offset(first)
        left = self._cipher.file_offset(first + count) - start
        self._file.seek(start)
        parts: list[bytes] = []
        while left and (part := self._file.read(left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def _open_unsealed(self, stream_size: int) -> None:
        self.state = RecordingState.UNSEALED
        whole = stream_size // self._cipher.segment_size
        self._count = self._last_authentic(whole) + 1
        if whole and not self._count:
            raise RecordingDamaged("no segment is authentic", self._cipher.file_offset(0))
        self._refuse_appended()
        stream_end = self._count * self._cipher.segment_size or STREAM_HEADER_SIZE
        self.torn_bytes = stream_size - stream_end
        self.size_bytes = self._cipher.plain_offset(self._count)

    def _last_authentic(self, whole: int) -> int:
        """Search backwards: a torn tail is short, and what lies in front of a hole is kept."""
        stop = whole
        while stop > 0:
            start = max(0, stop - _BATCH)
            ciphertext = self._raw(start, stop - start)
            base = self._cipher.file_offset(start)
            for index in range(stop - 1, start - 1, -1):
                at = self._cipher.file_offset(index) - base
                segment = ciphertext[at : self._cipher.file_offset(index + 1) - base]
                if self._cipher.decrypt(index, segment, last=False) is not None:
                    return index
            stop = start
        return -1

    def _refuse_appended(self) -> None:
        """A seal in front of the end means that bytes were added to a finished file."""
        offset = self._cipher.file_offset(self._count)
        self._file.seek(offset)
        if self._cipher.decrypt(self._count, self._file.read(TAG_SIZE), last=True) is not None:
            raise RecordingDamaged("bytes follow the end of the recording", offset + TAG_SIZE)

    def _refuse_unsealed(self) -> None:
        index = max(0, self._count - 1)
        raise RecordingDamaged(
            "the end of the recording is missing or not authentic; if it was not sealed, "
            "open it as unsealed or salvage it",
            self._cipher.file_offset(index),
        )
