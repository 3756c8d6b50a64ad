"""When a recording that failed may be tried again."""

from __future__ import annotations

import os
from pathlib import Path

from vigilar_recorder.finished import Failure

#: How soon to try again; space that returns is used after this at the latest.
RETRY_S = 15.0
#: Least free space to begin a recording with after the disk was full, in bytes.
LEAST_FREE_BYTES = 8 << 20


class Attempts:
    """Holds new recordings back for a while after a failure, and while a full disk stays full.

    :param folder: where recordings go
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._not_before_s = 0.0
        self._disk_was_full = False

    def failed(self, failure: Failure, now_s: float) -> None:
        """A recording could not begin or go on."""
        self._not_before_s = now_s + RETRY_S
        self._disk_was_full = failure.cause == "disk_full"

    def may_try(self, now_s: float, size_bytes: int) -> bool:
        """Whether to begin a recording now.

        :param size_bytes: what it begins with
        """
        if now_s < self._not_before_s:
            return False
        if self._disk_was_full and self._free_bytes() < LEAST_FREE_BYTES + 2 * size_bytes:
            self._not_before_s = now_s + RETRY_S
            return False
        return True

    def _free_bytes(self) -> int:
        try:
            disk = os.statvfs(self._folder)
        except OSError:
            return 1 << 62  # Then trying is the way to find out.
        return disk.f_bavail * disk.f_frsize
