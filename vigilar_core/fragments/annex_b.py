"""NAL units: out of an Annex B byte stream, into length-prefixed samples, and their bits.

ITU-T H.264 and H.265, Annex B: units are set apart by ``00 00 01``, and may carry zero bytes
behind them. MP4 puts the length of each in front instead (ISO/IEC 14496-15, 5.3.3 and 8.3.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_START = b"\0\0\1"
#: Twice as fast as ``bytes.find``, and looking for these is most of the work per packet.
_START_CODES = re.compile(_START)
#: Access unit delimiters and parameter sets; MP4 keeps the latter in its sample entry.
_AVC_LEFT_OUT = frozenset({9})
_HEVC_LEFT_OUT = frozenset({32, 33, 34, 35})


def is_annex_b(data: bytes) -> bool:
    """Whether bytes begin with a start code; a length-prefixed unit of 1 byte would too."""
    return data.startswith((_START, b"\0" + _START))


def nal_units(data: bytes) -> Iterator[memoryview]:
    """The units of a byte stream, without start codes and trailing zeros, none copied."""
    view = memoryview(data)
    starts = [found.end() for found in _START_CODES.finditer(data)]
    for start, end in zip(starts, [*(each - 3 for each in starts[1:]), len(data)], strict=False):
        while end > start and not data[end - 1]:
            end -= 1
        if end > start:
            yield view[start:end]


def avc_type(unit: memoryview | bytes) -> int:
    """``nal_unit_type`` of H.264: 5 key picture, 7 SPS, 8 PPS (table 7-1)."""
    return unit[0] & 0x1F


def hevc_type(unit: memoryview | bytes) -> int:
    """``nal_unit_type`` of H.265: 16–21 key picture, 32 VPS, 33 SPS, 34 PPS (table 7-1)."""
    return unit[0] >> 1 & 0x3F


def to_sample(data: bytes, *, hevc: bool) -> list[bytes | memoryview]:
    """An access unit as a sample: parts to be joined, each unit behind its length of 4 bytes."""
    parts: list[bytes | memoryview] = []
    for unit in nal_units(data):
        left_out = hevc_type(unit) in _HEVC_LEFT_OUT if hevc else avc_type(unit) in _AVC_LEFT_OUT
        if not left_out:
            parts.append(len(unit).to_bytes(4, "big"))
            parts.append(unit)
    return parts


class BitReader:
    """Reads the payload of a unit bit by bit (H.264, 7.2; H.265, 7.2).

    :param unit: a NAL unit whose emulation prevention bytes are still in it
    :raises ValueError: while reading, when the unit is too short
    """

    def __init__(self, unit: bytes) -> None:
        payload = unit.replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(payload, "big")
        self._left = len(payload) * 8

    def bits(self, count: int) -> int:
        """``u(n)``"""
        self._left -= count
        if self._left < 0:
            raise ValueError("a parameter set ends early")
        return self._value >> self._left & (1 << count) - 1

    def exp_golomb(self) -> int:
        """``ue(v)`` (H.264, 9.1)"""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("a number in a parameter set is too long")
        return (1 << zeros) - 1 + self.bits(zeros)
