"""Recordings that are not encrypted: the same fragments in an ordinary MP4 file."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import BinaryIO

from vigilar_core.recording_file import RandomAccessFile, SealedFile
from vigilar_core.recording_file.boxes import walk
from vigilar_core.recording_file.fragments import read_index, read_init
from vigilar_core.recording_file.writer import lock


class PlainWriter:
    """Writes plaintext as it is, with the methods of ``RecordingWriter``.

    :param file: empty, writable and unbuffered; locked as long as it is open
    """

    def __init__(self, file: io.RawIOBase | BinaryIO) -> None:
        lock(file)
        self._file = file
        self._sha256 = hashlib.sha256()
        #: Length so far, in bytes.
        self.position = 0

    def write(self, data: bytes) -> int:
        """Put data into the file.

        :raises OSError: the disk is full or broken
        """
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._sha256.update(data)
        self.position += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def seal(self, trailer: bytes = b"", *, durable: bool = True) -> SealedFile:
        """Write the index and wait for the disk.

        :raises OSError: the disk is full or broken
        """
        self.write(trailer)
        if durable:
            os.fsync(self._file.fileno())
        return SealedFile(self.position, self._sha256.hexdigest())


class PlainReader(RandomAccessFile):
    """A plain recording with the methods of the encrypted one.

    :param file: closed together with the reader
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size_bytes = file.seek(0, os.SEEK_END)

    def read_at(self, position: int, size: int) -> bytes:
        self._file.seek(position)
        return self._file.read(size)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def salvage_plain(path: Path) -> tuple[SealedFile, int]:
    """Cut off a torn tail and add the index; a finished file is left as it is.

    :returns: the file, and how many bytes were cut off
    :raises RecordingInUse: its writer is alive
    :raises NotPlayable: there is no whole ``moov`` box
    """
    with path.open("r+b", buffering=0) as file:
        lock(file)
        size = file.seek(0, os.SEEK_END)
        kinds = [(box.type, box.end) for box in walk(file)]
        while kinds and kinds[-1][0] == b"moof":
            kinds.pop()
        end = kinds[-1][1] if kinds else 0
        if not kinds or kinds[-1][0] != b"mfra":
            init = read_init(file)
            file.truncate(end)
            index = read_index(file, init)
            file.seek(end)
            file.write(index.to_mfra())
            os.fsync(file.fileno())
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return SealedFile(file.seek(0, os.SEEK_END), digest), max(0, size - end)
