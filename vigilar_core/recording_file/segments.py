"""The encrypted stream: geometry, keys and nonces of its segments.

The wire format is AES256-GCM-HKDF streaming as the Tink library specifies it (Hoang, Reyhanitabar,
Rogaway, Vizár: "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015,
construction STREAM), so that Tink reads what is written here and the other way round. Offsets
are relative to the end of the clear header; S is the size of a ciphertext segment.

=============  =======  ========================================================
offset         length   content
=============  =======  ========================================================
0              1        40, the size of the stream header
1              32       salt
33             7        nonce prefix
40             S − 40   segment 0: ciphertext, then a GCM tag of 16 bytes
i × S          S        segment i ≥ 1: ciphertext, then a GCM tag of 16 bytes
n × S          16 … S   the last segment, which may be shorter
=============  =======  ========================================================

The key of a file is HKDF-SHA256(key material, salt, info = clear header), 32 bytes. The nonce of
a segment is prefix (7) | index (4, big-endian) | 1 for the last segment, else 0 (1). Salt and
prefix are drawn anew for each file, so no two files share a key; inside a file no index is
written twice.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vigilar_core.recording_file import header as clear_header
from vigilar_core.recording_file.errors import RecordingDamaged, WrongKey
from vigilar_core.recording_file.header import Header

#: Size of a GCM tag in bytes.
TAG_SIZE = 16
#: Size of the stream header in bytes.
STREAM_HEADER_SIZE = 40
_SALT_SIZE = 32
_PREFIX_SIZE = 7
#: The index has four bytes in the nonce.
MAX_SEGMENTS = 1 << 32


class SegmentCipher:
    """Encrypts and decrypts the segments of one file, and knows where they lie.

    Parameters:
        header: the clear header of the file.
        stream_header: the 40 bytes behind it.
        key: 32 bytes of key material.
    """

    def __init__(self, header: Header, stream_header: bytes, key: bytes) -> None:
        self.header = header
        self.stream_header = stream_header
        self.segment_size = header.segment_size
        #: Position of the encrypted stream in the file, in bytes.
        self.stream_offset = len(header.encoded)
        salt = stream_header[1 : 1 + _SALT_SIZE]
        self._prefix = stream_header[1 + _SALT_SIZE :]
        self._gcm = AESGCM(HKDF(SHA256(), 32, salt, header.encoded).derive(key))

    @classmethod
    def fresh(cls, header: Header, key: bytes) -> SegmentCipher:
        """Return the cipher of a new file, under a salt and a nonce prefix never used before."""
        return cls(header, bytes([STREAM_HEADER_SIZE]) + os.urandom(_SALT_SIZE + _PREFIX_SIZE), key)

    @classmethod
    def of_file(cls, file: BinaryIO, key: bytes) -> SegmentCipher:
        """Return the cipher of an existing file.

        Raises:
            NotARecording, WrongKey, RecordingDamaged: as the names say.
        """
        header = clear_header.read(file)
        identity = clear_header.key_id(key)
        if header.key_id != identity:
            raise WrongKey(f"the file was written under key {header.key_id}, not {identity}")
        stream_header = file.read(STREAM_HEADER_SIZE)
        if len(stream_header) < STREAM_HEADER_SIZE:
            raise RecordingDamaged("the stream header is cut off", len(header.encoded))
        if stream_header[0] != STREAM_HEADER_SIZE:
            raise RecordingDamaged("the stream header is malformed", len(header.encoded))
        return cls(header, stream_header, key)

    def capacity(self, index: int) -> int:
        """Return how many bytes of plaintext a full segment holds."""
        return self.segment_size - TAG_SIZE - (STREAM_HEADER_SIZE if index == 0 else 0)

    def plain_offset(self, index: int) -> int:
        """Return the position in the plaintext at which a segment begins."""
        return max(0, index * (self.segment_size - TAG_SIZE) - STREAM_HEADER_SIZE)

    def locate(self, position: int) -> tuple[int, int]:
        """Return the segment that holds a position of the plaintext, and the offset inside it."""
        index = (position + STREAM_HEADER_SIZE) // (self.segment_size - TAG_SIZE)
        return index, position - self.plain_offset(index)

    def file_offset(self, index: int) -> int:
        """Return the position in the file at which a segment begins."""
        return self.stream_offset + (index * self.segment_size or STREAM_HEADER_SIZE)

    def encrypt(self, index: int, plaintext: bytes, *, last: bool) -> bytes:
        """Return the ciphertext of a segment, tag included."""
        return self._gcm.encrypt(self._nonce(index, last), plaintext, None)

    def decrypt(self, index: int, ciphertext: bytes, *, last: bool) -> bytes | None:
        """Return the plaintext of a segment, or None when it fails authentication."""
        if len(ciphertext) < TAG_SIZE:
            return None
        try:
            return self._gcm.decrypt(self._nonce(index, last), ciphertext, None)
        except InvalidTag:
            return None

    def _nonce(self, index: int, last: bool) -> bytes:
        return self._prefix + index.to_bytes(4, "big") + (b"\1" if last else b"\0")
