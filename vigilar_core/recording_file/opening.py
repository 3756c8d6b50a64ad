"""Opens a recording by its path, whichever format it has."""

from __future__ import annotations

import os
from pathlib import Path

from vigilar_core.recording_file.header import MAGIC
from vigilar_core.recording_file.legacy import LegacyRecordingReader
from vigilar_core.recording_file.random_access import RandomAccessFile
from vigilar_core.recording_file.reader import RecordingReader


def open_recording(
    path: str | os.PathLike[str], key: bytes, *, allow_unsealed: bool = False
) -> RandomAccessFile:
    """Open the plaintext of a recording.

    Parameters:
        path: the file.
        key: 32 bytes of key material.
        allow_unsealed: accept a file without its last segment; see :class:`RecordingReader`.

    Raises:
        NotARecording: it is neither a recording nor a legacy recording under this key.
        WrongKey, RecordingDamaged: as the names say; never for a legacy recording.
        OSError: the file cannot be read.
    """
    file = Path(path).open("rb", buffering=0)  # noqa: SIM115 - the reader owns it
    try:
        if file.read(len(MAGIC)) == MAGIC:
            return RecordingReader(file, key, allow_unsealed=allow_unsealed)
        return LegacyRecordingReader(file, key)
    except BaseException:
        # Whatever stops the opening, nobody else knows the file to close it.
        file.close()
        raise
