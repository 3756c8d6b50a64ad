"""The init segment: ``ftyp`` and ``moov`` of a fragmented MP4 (ISO/IEC 14496-12, 8.2–8.8)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from vigilar_core.fragments.sample_entry import SampleEntry
from vigilar_core.recording_file.boxes import make_box, make_full_box

_MATRIX = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_MOVIE_TIMESCALE = 1000


@dataclass(frozen=True, slots=True)
class TrackHeader:
    """What ``moov`` says of one track.

    :param number: ``track_ID``, from 1 on
    :param timescale: ticks a second
    :param width: pixels, 0 for audio
    :param height: pixels, 0 for audio
    """

    number: int
    timescale: int
    entry: SampleEntry
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class InitSegment:
    """What stands in front of all fragments.

    :param data: ``ftyp`` and ``moov``
    :param mime_type: as Media Source Extensions ask for: ``video/mp4; codecs="avc1.64001f"``
    """

    data: bytes
    mime_type: str


def make_init_segment(tracks: Sequence[TrackHeader]) -> InitSegment:
    """Build the init segment of some tracks, the video track first."""
    movie = struct.pack(
        ">III I IH10x 36s24xI", 0, 0, _MOVIE_TIMESCALE, 0, 1 << 16, 0x100, _MATRIX, len(tracks) + 1
    )
    extends = [
        make_full_box(b"trex", 0, 0, struct.pack(">5I", track.number, 1, 0, 0, 0))
        for track in tracks
    ]
    moov = make_box(
        b"moov",
        make_full_box(b"mvhd", 0, 0, movie),
        *(_track(track) for track in tracks),
        make_box(b"mvex", *extends),
    )
    ftyp = make_box(b"ftyp", b"iso6", struct.pack(">I", 1), b"iso6", b"mp41")
    codecs = ",".join(track.entry.codec for track in tracks)
    return InitSegment(ftyp + moov, f'video/mp4; codecs="{codecs}"')


def _track(track: TrackHeader) -> bytes:
    video = track.width > 0
    header = struct.pack(
        ">IIIII8xhhH2x36sII", 0, 0, track.number, 0, 0, 0, 0 if video else 1,
        0 if video else 0x100, _MATRIX, track.width << 16, track.height << 16,
    )  # fmt: skip
    media = struct.pack(">IIIIHH", 0, 0, track.timescale, 0, 0x55C4, 0)  # 0x55C4: language "und"
    handler = struct.pack(">4x4s12x", b"vide" if video else b"soun") + b"\0"
    return make_box(
        b"trak",
        make_full_box(b"tkhd", 0, 3, header),
        make_box(
            b"mdia",
            make_full_box(b"mdhd", 0, 0, media),
            make_full_box(b"hdlr", 0, 0, handler),
            _media_information(track.entry, video=video),
        ),
    )


def _media_information(entry: SampleEntry, *, video: bool) -> bytes:
    kind = (
        make_full_box(b"vmhd", 0, 1, bytes(8)) if video else make_full_box(b"smhd", 0, 0, bytes(4))
    )
    location = make_full_box(b"dref", 0, 0, struct.pack(">I", 1), make_full_box(b"url ", 0, 1))
    table = make_box(
        b"stbl",
        make_full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry.box),
        make_full_box(b"stts", 0, 0, bytes(4)),
        make_full_box(b"stsc", 0, 0, bytes(4)),
        make_full_box(b"stsz", 0, 0, bytes(8)),
        make_full_box(b"stco", 0, 0, bytes(4)),
    )
    return make_box(b"minf", kind, make_box(b"dinf", location), table)
