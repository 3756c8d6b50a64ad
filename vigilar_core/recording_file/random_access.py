"""Base of the read-only files here: a subclass says how long it is and how to read at a place."""

from __future__ import annotations

import io
import os
from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class SupportsClose(Protocol):
    """Anything that can be closed."""

    def close(self) -> None: ...


class RandomAccessFile(io.RawIOBase):
    """A read-only, seekable file; every read is filled up to the end of the file.

    Like all files it has one position: threads need a file each.
    """

    #: Length in bytes.
    size_bytes: int = 0
    _position = 0
    #: What is closed with this file; none before the constructor has succeeded, so that a file
    #: which cannot be opened one way can still be tried another way.
    _owned: SupportsClose | None = None

    @abstractmethod
    def read_at(self, position: int, size: int) -> bytes:
        """Return ``size`` bytes from ``position`` on, both inside the file."""

    def close(self) -> None:
        if not self.closed and self._owned is not None:
            self._owned.close()
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size_bytes}[whence]
        if base + offset < 0:
            raise ValueError(f"position {base + offset} lies before the start of the file")
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        if self.closed:
            raise ValueError("the recording is closed")
        left = max(0, self.size_bytes - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        data = self.read_at(self._position, wanted) if wanted else b""
        self._position += len(data)
        return data

    def readall(self) -> bytes:
        return self.read(-1)

    def readinto(self, buffer: WriteableBuffer) -> int:
        target = memoryview(buffer).cast("B")
        data = self.read(len(target))
        target[: len(data)] = data
        return len(data)
