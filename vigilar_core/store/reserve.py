"""Room kept back on the disk, so that events can be stored when everything else has filled it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import structlog

_log = structlog.get_logger(__name__)

#: Room for some ten thousand events and the write-ahead log that carries them.
SIZE_BYTES: Final = 32 * 1024 * 1024
#: So many times its size must be free before it is taken again.
_COMFORT: Final = 4


class Reserve:
    """A file of a fixed size that is removed when the disk is full.

    :param path: on the volume of the database
    """

    def __init__(self, path: Path, *, size_bytes: int = SIZE_BYTES) -> None:
        self._path = path
        self._size_bytes = size_bytes

    @property
    def is_kept(self) -> bool:
        return self._path.exists()

    def keep(self) -> bool:
        """Take the room if there is plenty; returns whether it is kept now."""
        if self.is_kept:
            return True
        if shutil.disk_usage(self._path.parent).free < _COMFORT * self._size_bytes:
            return False
        aside = self._path.with_suffix(".new")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._size_bytes)
            aside.rename(self._path)
        except OSError as error:
            aside.unlink()
            _log.warning("no room is kept back", path=str(self._path), error=error.strerror)
        finally:
            os.close(descriptor)
        return self.is_kept

    def give(self) -> bool:
        """Give the room back to the disk; returns whether there was any."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        _log.error("the disk is full: the room kept back for events is used", path=str(self._path))
        return True
