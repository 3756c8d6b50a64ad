"""Finds the parameter sets of H.264 and H.265 in Annex B data.

They tell whether a camera has changed its picture: a new sequence parameter set means another
recording. Sources: ITU-T H.264 (7.3.1, Annex B), ITU-T H.265 (7.3.1.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

#: NAL unit types of the parameter sets: SPS, PPS; VPS, SPS, PPS.
_PARAMETER_TYPES = {"h264": (7, 8), "hevc": (32, 33, 34)}
_START = b"\x00\x00\x01"
#: Parameter sets stand before the first slice; a hostile packet is not searched for more.
_MOST_UNITS = 64

ParameterSets = Mapping[int, tuple[bytes, ...]]


def nal_type(codec: str, unit: bytes) -> int:
    """The type of a NAL unit given without its start code; -1 when it is empty."""
    if not unit:
        return -1
    return unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F


def leading_units(codec: str, data: bytes) -> Iterator[bytes]:
    """Yield the NAL units before the first slice, without start codes."""
    begin = data.find(_START)
    for _ in range(_MOST_UNITS):
        if begin < 0:
            return
        begin += 3
        kind = nal_type(codec, data[begin : begin + 1])
        if kind < 0 or _is_slice(codec, kind):
            return
        end = data.find(_START, begin)
        yield data[begin : end if end >= 0 else None].rstrip(b"\x00")
        begin = end


def parameter_sets(codec: str, data: bytes) -> ParameterSets:
    """Return the parameter sets at the start of `data` by type; empty when it has none."""
    found: dict[int, list[bytes]] = {}
    for unit in leading_units(codec, data):
        kind = nal_type(codec, unit)
        if kind in _PARAMETER_TYPES[codec] and unit not in found.setdefault(kind, []):
            found[kind].append(unit)
    return {kind: tuple(units) for kind, units in found.items()}


def merge(known: ParameterSets, news: ParameterSets) -> ParameterSets:
    """Return `known` with each type of `news` in the place of the old."""
    return {**known, **news}


def extradata(codec: str, sets: ParameterSets) -> bytes:
    """Join parameter sets into one Annex B block in the order a decoder wants."""
    units = [unit for kind in _PARAMETER_TYPES[codec] for unit in sets.get(kind, ())]
    return b"".join(b"\x00" + _START + unit for unit in units)


def is_complete(codec: str, sets: ParameterSets) -> bool:
    """Whether a decoder can start with these."""
    return all(kind in sets for kind in _PARAMETER_TYPES[codec])


def _is_slice(codec: str, kind: int) -> bool:
    return 1 <= kind <= 5 if codec == "h264" else kind < 32
