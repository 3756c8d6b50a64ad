"""A small picture of a recording, encrypted like the recording itself.

======  ======  ==================================================================
offset  length  content of a ``.vgt`` file
======  ======  ==================================================================
0       8       magic ``VGT1\\r\\n\\x1a\\n``
8       32      salt
40      …       JPEG in AES-256-GCM, then its tag of 16 bytes
======  ======  ==================================================================

The key is HKDF-SHA256(storage key, salt, info), used once, so the nonce is zero; the recording's
id is authenticated with it, so that pictures cannot be exchanged among each other.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vigilar_core.media import Packet
from vigilar_core.recording_file import RandomAccessFile, RecordingDamaged
from vigilar_recorder.files import write_private

if TYPE_CHECKING:
    from av import VideoFrame

MAGIC = b"VGT1\r\n\x1a\n"
MAX_WIDTH = 480
_SALT_SIZE = 32
_NONCE = bytes(12)
#: MJPEG quantiser: 2 is best, 31 worst.
_QUANTISER = 6


def encrypt(jpeg: bytes, key: bytes, recording: str) -> bytes:
    """The content of a ``.vgt`` file.

    :param key: 32 bytes of key material
    :param recording: id it belongs to
    """
    salt = os.urandom(_SALT_SIZE)
    return MAGIC + salt + _cipher(key, salt).encrypt(_NONCE, jpeg, recording.encode())


def decrypt(data: bytes, key: bytes, recording: str) -> bytes:
    """The JPEG in a ``.vgt`` file.

    :raises RecordingDamaged: it was changed, belongs to another recording or another key
    """
    salt = data[len(MAGIC) : len(MAGIC) + _SALT_SIZE]
    if not data.startswith(MAGIC) or len(salt) < _SALT_SIZE:
        raise RecordingDamaged("the thumbnail has no header", 0)
    try:
        sealed = data[len(MAGIC) + _SALT_SIZE :]
        return _cipher(key, salt).decrypt(_NONCE, sealed, recording.encode())
    except InvalidTag:
        raise RecordingDamaged("the thumbnail is not authentic", len(MAGIC)) from None


def make_jpeg(key_frame: Packet, max_width: int = MAX_WIDTH) -> bytes:
    """Decode one key frame and return it as a JPEG.

    :param max_width: widest picture in pixels; smaller ones keep their size
    :raises ValueError: the key frame cannot be decoded
    """
    import av  # heavy; only a process that records or repairs needs it

    try:
        return _encode(_decode(key_frame), max_width)
    except av.FFmpegError as error:
        raise ValueError(f"no picture can be made of the key frame: {error}") from error


def jpeg_of_recording(mp4: RandomAccessFile, at_s: float, max_width: int = MAX_WIDTH) -> bytes:
    """The key frame of a recording at or before a moment, as a JPEG.

    :param mp4: seekable, as players want it; not closed
    :param at_s: seconds from its start
    :raises ValueError: it holds no picture that can be decoded
    """
    import av

    try:
        with av.open(cast("IO[bytes]", mp4), "r", format="mp4") as container:
            container.seek(round(at_s * 1_000_000))
            for frame in container.decode(video=0):
                return _encode(frame, max_width)
    except av.FFmpegError as error:
        raise ValueError(f"no picture can be made of the recording: {error}") from error
    raise ValueError("the recording holds no picture")


def store(path: Path, picture: bytes, key: bytes | None, recording: str) -> None:
    """Write a thumbnail, encrypted when there is a key; half a file is not left behind.

    :raises OSError: the disk is full or broken
    """
    try:
        write_private(path, picture if key is None else encrypt(picture, key, recording))
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _encode(frame: VideoFrame, max_width: int) -> bytes:
    import av

    width = min(max_width, frame.width) // 2 * 2
    height = max(2, round(frame.height * width / frame.width) // 2 * 2)
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.qmin = encoder.qmax = _QUANTISER
    picture = frame.reformat(width, height, "yuvj420p", dst_color_range="JPEG")
    picture.pts = None
    return b"".join(bytes(part) for part in [*encoder.encode(picture), *encoder.encode(None)])


def _decode(key_frame: Packet) -> VideoFrame:
    import av

    decoder = av.CodecContext.create(key_frame.stream.codec, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1
    if key_frame.stream.extradata:
        decoder.extradata = key_frame.stream.extradata
    frames = [*decoder.decode(av.Packet(key_frame.data)), *decoder.decode(None)]
    if not frames:
        raise ValueError("the key frame gives no picture")
    return frames[0]


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"vigilar thumbnail").derive(key))
