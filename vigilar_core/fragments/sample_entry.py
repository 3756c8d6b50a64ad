"""What a decoder must know before the first sample, as MP4 wants it.

Sources: ISO/IEC 14496-15 (``avcC`` 5.3.3.1, ``hvcC`` 8.3.3.1), ISO/IEC 14496-14 (``esds`` 5.6),
ISO/IEC 14496-12 (sample entries 12.1.3, 12.2.3), RFC 6381 (names of codecs).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from vigilar_core.fragments.annex_b import (
    BitReader,
    avc_type,
    hevc_type,
    is_annex_b,
    nal_units,
)
from vigilar_core.media import Stream
from vigilar_core.recording_file.boxes import make_box, make_full_box

#: Profiles of H.264 whose configuration also states chroma format and bit depths.
_AVC_HIGH_PROFILES = frozenset({100, 110, 122, 144})


@dataclass(frozen=True, slots=True)
class SampleEntry:
    """A sample entry and what else follows from it.

    :param box: the whole box, such as ``avc1``
    :param codec: name after RFC 6381, such as ``avc1.64001f``
    :param annex_b: whether samples come as a byte stream and must be converted
    """

    box: bytes
    codec: str
    annex_b: bool = False


def video_entry(stream: Stream, key_frame: bytes) -> SampleEntry:
    """The sample entry of a video stream.

    :param key_frame: its first key frame, for parameter sets that the source did not announce
    :raises ValueError: no parameter sets are to be found, or they are malformed, or the codec
        is neither H.264 nor H.265
    """
    if stream.codec not in ("h264", "hevc"):
        raise ValueError(f"video codec {stream.codec!r} cannot be recorded: use H.264 or H.265")
    hevc = stream.codec == "hevc"
    annex_b = is_annex_b(stream.extradata or key_frame)
    if annex_b:
        units = [bytes(unit) for unit in nal_units(stream.extradata)]
        units += [bytes(unit) for unit in nal_units(key_frame)]
        configuration = _hevc_configuration(units) if hevc else _avc_configuration(units)
    elif stream.extradata:
        configuration = stream.extradata
    else:
        raise ValueError(f"the {stream.codec} stream came without parameter sets")
    codec = _hevc_name(configuration) if hevc else f"avc1.{configuration[1:4].hex()}"
    box = _visual_entry(stream, b"hvc1" if hevc else b"avc1", b"hvcC" if hevc else b"avcC",
                        configuration)  # fmt: skip
    return SampleEntry(box, codec, annex_b)


def aac_entry(configuration: bytes, sample_rate_hz: int, channels: int) -> SampleEntry:
    """The sample entry of AAC.

    :param configuration: AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1)
    """
    specific = _descriptor(5, configuration)
    # Object type 0x40 is MPEG-4 audio, stream type 5 an audio stream; sizes and rates unknown.
    decoder = _descriptor(4, struct.pack(">BB3xII", 0x40, 5 << 2 | 1, 0, 0) + specific)
    descriptor = _descriptor(3, struct.pack(">HB", 0, 0) + decoder + _descriptor(6, b"\x02"))
    rate = sample_rate_hz if sample_rate_hz < 1 << 16 else 0
    fields = struct.pack(">6xH8xHHIHH", 1, channels, 16, 0, rate, 0)
    box = make_box(b"mp4a", fields, make_full_box(b"esds", 0, 0, descriptor))
    return SampleEntry(box, f"mp4a.40.{configuration[0] >> 3}")


def _descriptor(tag: int, payload: bytes) -> bytes:
    """A descriptor of ISO/IEC 14496-1, 8.3.3, its length in the usual four bytes."""
    length = len(payload)
    return bytes((tag, 0x80, 0x80, 0x80 | length >> 7 & 0x7F, length & 0x7F)) + payload


def _visual_entry(stream: Stream, kind: bytes, box: bytes, configuration: bytes) -> bytes:
    # 72 dots per inch, one frame per sample, no name, 24 bits deep: fixed by the standard.
    fields = struct.pack(
        ">6xH16xHHII4xH32xHh", 1, stream.width, stream.height, 72 << 16, 72 << 16, 1, 24, -1
    )
    return make_box(kind, fields, make_box(box, configuration))


def _unique(units: Sequence[bytes]) -> list[bytes]:
    return list(dict.fromkeys(units))


def _avc_configuration(units: Sequence[bytes]) -> bytes:
    sps = _unique([unit for unit in units if avc_type(unit) == 7])
    pps = _unique([unit for unit in units if avc_type(unit) == 8])
    if not sps or not pps or len(sps[0]) < 4:
        raise ValueError("the h264 stream came without parameter sets")
    sps, pps = sps[:31], pps[:255]
    head = struct.pack(">B3sBB", 1, sps[0][1:4], 0xFF, 0xE0 | len(sps))
    body = b"".join(struct.pack(">H", len(unit)) + unit for unit in sps)
    body += bytes((len(pps),)) + b"".join(struct.pack(">H", len(unit)) + unit for unit in pps)
    if sps[0][1] in _AVC_HIGH_PROFILES:
        chroma, luma_depth, chroma_depth = _avc_depths(sps[0])
        body += bytes((0xFC | chroma, 0xF8 | luma_depth, 0xF8 | chroma_depth, 0))
    return head + body


def _avc_depths(sps: bytes) -> tuple[int, int, int]:
    """Chroma format, and the bit depths of luma and chroma minus 8 (H.264, 7.3.2.1.1)."""
    reader = BitReader(sps[4:])
    reader.exp_golomb()
    chroma = reader.exp_golomb()
    if chroma == 3:
        reader.bits(1)
    return chroma, reader.exp_golomb(), reader.exp_golomb()


def _hevc_configuration(units: Sequence[bytes]) -> bytes:
    sets = {
        kind: _unique([unit for unit in units if len(unit) > 2 and hevc_type(unit) == kind])
        for kind in (32, 33, 34)
    }
    if not all(sets.values()):
        raise ValueError("the hevc stream came without parameter sets")
    sps = sets[33][0].replace(b"\0\0\3", b"\0\0")
    sub_layers = (sps[2] >> 1 & 7) + 1
    chroma, luma_depth, chroma_depth = _hevc_depths(sets[33][0][2:])
    head = struct.pack(
        ">B12sHBBBBHBB", 1, sps[3:15], 0xF000, 0xFC, 0xFC | chroma, 0xF8 | luma_depth,
        0xF8 | chroma_depth, 0, sub_layers << 3 | (sps[2] & 1) << 2 | 3, len(sets),
    )  # fmt: skip
    arrays = b"".join(
        struct.pack(">BH", 0x80 | kind, len(found))
        + b"".join(struct.pack(">H", len(unit)) + unit for unit in found)
        for kind, found in sets.items()
    )
    return head + arrays


def _hevc_depths(sps: bytes) -> tuple[int, int, int]:
    """Chroma format, and the bit depths of luma and chroma minus 8 (H.265, 7.3.2.2.1)."""
    reader = BitReader(sps)
    reader.bits(4)
    sub_layers = reader.bits(3)
    reader.bits(1 + 96)
    present = [(reader.bits(1), reader.bits(1)) for _ in range(sub_layers)]
    if sub_layers:
        reader.bits(2 * (8 - sub_layers))
    for profile, level in present:
        reader.bits(88 * profile + 8 * level)
    reader.exp_golomb()
    chroma = reader.exp_golomb()
    if chroma == 3:
        reader.bits(1)
    for _ in range(2):
        reader.exp_golomb()
    if reader.bits(1):
        for _ in range(4):
            reader.exp_golomb()
    return chroma, reader.exp_golomb(), reader.exp_golomb()


def _hevc_name(configuration: bytes) -> str:
    """``hvc1.1.6.L93.B0`` (ISO/IEC 14496-15, annex E)."""
    profile, compatibility, constraints, level = struct.unpack_from(">BI6sB", configuration, 1)
    space = ("", "A", "B", "C")[profile >> 6]
    tier = "H" if profile & 0x20 else "L"
    reversed_bits = int(f"{compatibility:032b}"[::-1], 2)
    tail = "".join(f".{byte:X}" for byte in constraints.rstrip(b"\0"))
    return f"hvc1.{space}{profile & 0x1F}.{reversed_bits:X}.{tier}{level}{tail}"
