"""The clear header at the front of a recording file.

It tells a program without the key what the file is, and one with a wrong key that it is wrong.
The whole header is the associated data of the encrypted stream behind it, so that a change to
any of its bytes makes every segment fail.

======  ======  ==============================================================
offset  length  content (integers are big-endian)
======  ======  ==============================================================
0       8       magic ``VGE2\\r\\n\\x1a\\n``; a legacy file has random bytes here
8       2       version, 1
10      2       size of this header in bytes, H ≤ 4096
12      4       size of a ciphertext segment in bytes, normally 4096
16      H − 16  metadata: one compact JSON object in UTF-8, keys sorted
======  ======  ==============================================================
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vigilar_core.recording_file.errors import NotARecording, RecordingDamaged

#: First bytes of a file. The line ends and the control character reveal a text-mode copy.
MAGIC = b"VGE2\r\n\x1a\n"
VERSION = 1
#: Size of the key material in bytes.
KEY_SIZE = 32
MAX_HEADER_SIZE = 4096
#: One page of a disk: small enough that padding to it after each fragment costs little.
DEFAULT_SEGMENT_SIZE = 4096
_MIN_SEGMENT_SIZE, _MAX_SEGMENT_SIZE = 96, 1 << 20
_FIXED = struct.Struct(">8sHHI")


@dataclass(frozen=True, slots=True)
class RecordingMetadata:
    """What may be read about a recording without its key.

    Parameters:
        recording_id: identity of the recording in the store.
        camera: id of the camera.
        started_time_us: wall clock at the first frame, microseconds since 1970, UTC.
        video_codec: name of the video codec, such as ``h264``.
        audio_codec: name of the audio codec, or None for a silent recording.
    """

    recording_id: str
    camera: str
    started_time_us: int
    video_codec: str
    audio_codec: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed header and its exact bytes."""

    metadata: RecordingMetadata
    #: Public identity of the key that the file was written under.
    key_id: str
    #: Size of a ciphertext segment in bytes.
    segment_size: int
    #: The header as it stands in the file: the associated data of the stream.
    encoded: bytes


def key_id(key: bytes) -> str:
    """Return the public identity of a key, 16 hexadecimal digits; it does not reveal the key.

    Parameters:
        key: 32 bytes of key material.

    Raises:
        ValueError: the key has another length.
    """
    if len(key) != KEY_SIZE:
        raise ValueError(f"a recording key has {KEY_SIZE} bytes, this one has {len(key)}")
    return HKDF(SHA256(), 8, None, b"vigilar recording key id").derive(key).hex()


def build(metadata: RecordingMetadata, key: bytes, segment_size: int) -> Header:
    """Build the header of a new file.

    Raises:
        ValueError: the metadata do not fit, or the segment size is out of bounds.
    """
    identity = key_id(key)
    if not _MIN_SEGMENT_SIZE <= segment_size <= _MAX_SEGMENT_SIZE:
        raise ValueError(
            f"segment_size {segment_size}: choose {_MIN_SEGMENT_SIZE} to {_MAX_SEGMENT_SIZE} bytes"
        )
    fields = asdict(metadata) | {"key_id": identity}
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    size = _FIXED.size + len(text)
    if size > MAX_HEADER_SIZE:
        raise ValueError(f"metadata make a header of {size} bytes, at most {MAX_HEADER_SIZE} fit")
    encoded = _FIXED.pack(MAGIC, VERSION, size, segment_size) + text
    return Header(metadata, identity, segment_size, encoded)


def read(file: BinaryIO) -> Header:
    """Read the header from the front of a file; what it says is not authenticated yet.

    Raises:
        NotARecording: the magic is missing, or the version is unknown.
        RecordingDamaged: the magic is there, but the rest is cut off or malformed.
    """
    file.seek(0)
    start = file.read(_FIXED.size)
    if not start.startswith(MAGIC):
        raise NotARecording("the file does not begin with the magic bytes of a recording")
    if len(start) < _FIXED.size:
        raise RecordingDamaged("the header is cut off", len(start))
    _, version, size, segment_size = _FIXED.unpack(start)
    if version != VERSION:
        raise NotARecording(f"recording format version {version} is unknown, {VERSION} is read")
    if not _FIXED.size < size <= MAX_HEADER_SIZE:
        raise RecordingDamaged(f"the header claims a size of {size} bytes", 10)
    if not _MIN_SEGMENT_SIZE <= segment_size <= _MAX_SEGMENT_SIZE:
        raise RecordingDamaged(f"the header claims segments of {segment_size} bytes", 12)
    text = file.read(size - _FIXED.size)
    if len(text) < size - _FIXED.size:
        raise RecordingDamaged("the header is cut off", _FIXED.size + len(text))
    metadata, identity = _parse_metadata(text)
    return Header(metadata, identity, segment_size, start + text)


def _parse_metadata(text: bytes) -> tuple[RecordingMetadata, str]:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordingDamaged(f"the metadata are not JSON: {error}", _FIXED.size) from error
    if not isinstance(fields, dict):
        raise RecordingDamaged("the metadata are not a JSON object", _FIXED.size)
    started_time_us = fields.get("started_time_us")
    if type(started_time_us) is not int:
        raise RecordingDamaged("the metadata lack started_time_us", _FIXED.size)
    audio_codec = None if fields.get("audio_codec") is None else _text(fields, "audio_codec")
    metadata = RecordingMetadata(
        recording_id=_text(fields, "recording_id"),
        camera=_text(fields, "camera"),
        started_time_us=started_time_us,
        video_codec=_text(fields, "video_codec"),
        audio_codec=audio_codec,
    )
    return metadata, _text(fields, "key_id")


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise RecordingDamaged(f"the metadata lack {name}", _FIXED.size)
    return value
