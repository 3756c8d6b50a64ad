"""One supervisor per data folder, guaranteed by the kernel (``flock``)."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from vigilar_core.errors import VigilarError


class AlreadyRunningError(VigilarError):
    """Another supervisor holds the data folder."""


class InstanceLock:
    """Held as long as the process lives; the kernel lets go of it when the process dies.

    :param data_dir: the folder that must have one owner
    :raises AlreadyRunningError: somebody else has it; names the process
    """

    def __init__(self, data_dir: Path) -> None:
        path = data_dir / "vigilar.lock"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise AlreadyRunningError(
                f"{data_dir} is in use by the Vigilar with process id {owner or 'unknown'}; "
                "stop it first, or give this one a data_dir of its own"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next one in; the file stays, removing it would let two hold it."""
        os.close(self._descriptor)
