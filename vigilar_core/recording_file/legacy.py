"""Reads recordings of the older format: AES-256-CTR behind a random start value.

======  ======  =========================================================
offset  length  content
======  ======  =========================================================
0       16      start value of the counter, random
16      …       the MP4, AES-256 in counter mode (NIST SP 800-38A, 6.5)
======  ======  =========================================================

The format is confidential but not authenticated: a changed file is **not** noticed here. Files
are only read, never written; converting one to the present format adds the protection.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from vigilar_core.recording_file.errors import NotARecording
from vigilar_core.recording_file.header import KEY_SIZE
from vigilar_core.recording_file.random_access import RandomAccessFile

_IV_SIZE = 16
_BLOCK_SIZE = 16
_FIRST_BOXES = {b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide"}


class LegacyRecordingReader(RandomAccessFile):
    """The plaintext of an older recording as a seekable file.

    Parameters:
        file: readable and seekable; closed together with the reader.
        key: 32 bytes of key material.

    Raises:
        NotARecording: the key does not turn the file into an MP4. Whether key or file is at
            fault cannot be told, for want of authentication.
        ValueError: the key has another length.
    """

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        if len(key) != KEY_SIZE:
            raise ValueError(f"a recording key has {KEY_SIZE} bytes, this one has {len(key)}")
        self._file = file
        self._key = key
        self.size_bytes = max(0, file.seek(0, os.SEEK_END) - _IV_SIZE)
        file.seek(0)
        self._counter = int.from_bytes(file.read(_IV_SIZE), "big")
        if self.size_bytes < 8 or self.read_at(0, 8)[4:] not in _FIRST_BOXES:
            raise NotARecording("the file is no recording, or was written under another key")
        self._owned = file

    def read_at(self, position: int, size: int) -> bytes:
        """Return a part of the plaintext."""
        block, skip = divmod(position, _BLOCK_SIZE)
        counter = (self._counter + block) % (1 << 128)
        start = CTR(counter.to_bytes(_IV_SIZE, "big"))
        self._file.seek(_IV_SIZE + block * _BLOCK_SIZE)
        ciphertext = self._file.read(skip + size)
        return Cipher(AES(self._key), start).decryptor().update(ciphertext)[skip:]
