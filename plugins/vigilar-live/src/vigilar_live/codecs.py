"""The codec string of an init segment, as browsers want it (RFC 6381)."""

from __future__ import annotations

from collections.abc import Iterator

_CONTAINERS = {b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0, b"stsd": 8}
_VISUAL_ENTRY_BYTES, _AUDIO_ENTRY_BYTES = 78, 28


def codec_string(init: bytes) -> str:
    """The ``codecs`` parameter for all tracks: ``avc1.640028, mp4a.40.2``.

    :param init: ``ftyp`` and ``moov`` boxes
    :raises ValueError: a track's codec is none that MP4 in a browser knows
    """
    return ",".join(_entries(init))


def _entries(data: bytes) -> Iterator[str]:
    for kind, body in _boxes(data):
        if kind in _CONTAINERS:
            yield from _entries(body[_CONTAINERS[kind] :])
        elif kind in (b"avc1", b"avc3"):
            record = _child(body[_VISUAL_ENTRY_BYTES:], b"avcC")
            yield f"{kind.decode()}.{record[1:4].hex()}"
        elif kind in (b"hvc1", b"hev1"):
            yield f"{kind.decode()}.{_hevc(_child(body[_VISUAL_ENTRY_BYTES:], b'hvcC'))}"
        elif kind == b"mp4a":
            _child(body[_AUDIO_ENTRY_BYTES:], b"esds")
            yield "mp4a.40.2"
        elif kind == b"Opus":
            yield "opus"


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Boxes side by side (ISO/IEC 14496-12, 4.2); stops at the first that does not fit."""
    position = 0
    while position + 8 <= len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        if size < 8 or position + size > len(data):
            return
        yield data[position + 4 : position + 8], data[position + 8 : position + size]
        position += size


def _child(data: bytes, wanted: bytes) -> bytes:
    for kind, body in _boxes(data):
        if kind == wanted:
            return body
    raise ValueError(f"sample entry without {wanted.decode()} box")


def _hevc(record: bytes) -> str:
    """Profile, compatibility, tier and level of an ``hvcC`` (ISO/IEC 14496-15, annex E.3)."""
    space = ("", "A", "B", "C")[record[1] >> 6]
    tier = "H" if record[1] & 0x20 else "L"
    compatibility = int(f"{int.from_bytes(record[2:6], 'big'):032b}"[::-1], 2)
    constraints = record[6:12].rstrip(b"\0")
    tail = "".join(f".{byte:x}" for byte in constraints)
    return f"{space}{record[1] & 0x1F}.{compatibility:x}.{tier}{record[12]}{tail}"
