"""What can go wrong with a recording file, named after the outcome.

::

    RecordingError
    ├── NotARecording      the bytes are not a recording file of any known kind
    ├── WrongKey           the file was written under another key
    ├── RecordingDamaged   bytes were changed, lost, moved or added since they were written
    ├── RecordingInUse     another process is still writing the file
    └── NotPlayable        the plaintext is whole, but is not an MP4 that can be played

A full disk is none of these: it stays the :class:`OSError` that the system raised.
"""

# ruff: noqa: N818 - errors are named after the outcome

from __future__ import annotations


class RecordingError(Exception):
    """Root of all errors of recording files."""


class NotARecording(RecordingError):
    """The file carries neither the recording header nor a readable legacy recording."""


class WrongKey(RecordingError):
    """The key handed in is not the one that the file was written under."""


class RecordingDamaged(RecordingError):
    """The file is not what was written: changed, truncated, reordered, spliced or appended to.

    Parameters:
        reason: what was found, in words.
        offset: position in the file, in bytes, of the first part that fails.
    """

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason} (at byte {offset} of the file)")
        #: Position in the file, in bytes, of the first part that fails.
        self.offset = offset


class RecordingInUse(RecordingError):
    """The file is locked by the process that is writing it."""


class NotPlayable(RecordingError):
    """The plaintext does not follow ISO/IEC 14496-12 where it has to."""
