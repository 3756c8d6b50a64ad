"""Seals a recording whose writer was killed, in the file itself.

The torn tail behind the last authentic segment is cut off, and the last segment is added. What
was lost stays lost; nothing authentic is touched, whatever damage lies in front of it.

**No nonce is used for two contents.** The only thing encrypted here is the last segment at index
n, under the nonce (prefix, n, 1). Its content is empty, always: the writer, too, puts nothing
into a last segment. So at each index there is one possible content under the last-segment nonce,
and encrypting it again, after an interruption at any point or by the writer before and salvage
afterwards, gives the same 16 bytes. Data segments have nonces that end in 0, which salvage never
uses. A torn data segment at index n, perhaps copied by somebody before it was cut off, shares no
nonce with the last segment that takes its place.

For the same reason repeating is harmless: cutting and adding are the only two steps, and a file
found between them is one that needs the second.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

from vigilar_core.recording_file.reader import RecordingReader, RecordingState
from vigilar_core.recording_file.writer import SealedFile, lock


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What salvage found and left.

    Parameters:
        file: size and digest of the sealed file.
        discarded_bytes: size of the torn tail that was cut off.
        was_sealed: whether nothing had to be done.
    """

    file: SealedFile
    discarded_bytes: int
    was_sealed: bool


def salvage(path: str | os.PathLike[str], key: bytes) -> Salvaged:
    """Seal an unsealed recording in place; a sealed one is left as it is.

    Parameters:
        path: the file; nobody may be writing it.
        key: 32 bytes of key material.

    Raises:
        RecordingInUse: its writer is alive.
        NotARecording, WrongKey: the file is left as it is.
        RecordingDamaged: bytes were appended to a sealed file, or nothing in it is authentic;
            the file is left as it is.
        OSError: the disk is full or broken; repeat it later.
    """
    with Path(path).open("r+b", buffering=0) as file:
        lock(file)
        reader = RecordingReader(file, key, allow_unsealed=True)
        was_sealed = reader.state is RecordingState.SEALED
        if not was_sealed:
            _append_last_segment(file, reader)
        sealed = SealedFile(file.seek(0, os.SEEK_END), _sha256(file))
    return Salvaged(sealed, reader.torn_bytes, was_sealed)


def _append_last_segment(file: io.FileIO, reader: RecordingReader) -> None:
    index = reader.segment_count
    end = reader.cipher.file_offset(index)
    file.truncate(end)
    file.seek(end)
    rest = memoryview(reader.cipher.encrypt(index, b"", last=True))
    while rest:
        rest = rest[file.write(rest) :]
    os.fsync(file.fileno())


def _sha256(file: io.FileIO) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()
