"""What ``moov`` and ``moof`` boxes say of the one track that a recording is indexed by."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from vigilar_core.recording_file.boxes import Box, children, find, payload
from vigilar_core.recording_file.errors import NotPlayable

_NON_SYNC_SAMPLE = 0x10000
# tfhd flags
_BASE_DATA_OFFSET, _DESCRIPTION_INDEX, _DURATION, _SIZE, _FLAGS = 0x1, 0x2, 0x8, 0x10, 0x20
# trun flags
_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_SAMPLE_DURATION, _SAMPLE_SIZE, _SAMPLE_FLAGS, _SAMPLE_OFFSET = 0x100, 0x200, 0x400, 0x800


@dataclass(frozen=True, slots=True)
class Track:
    """A track as the ``moov`` box of a fragmented MP4 describes it.

    Parameters:
        track_id: number of the track.
        timescale: ticks a second.
        default_duration_ticks: duration of a sample that no fragment states.
        default_flags: flags of a sample that no fragment states.
    """

    track_id: int
    timescale: int
    default_duration_ticks: int = 0
    default_flags: int = 0


@dataclass(frozen=True, slots=True)
class TrackRun:
    """What one fragment holds of a track.

    Parameters:
        start_ticks: presentation time of the first sample.
        duration_ticks: durations of all samples together.
        starts_with_key_frame: whether the first sample can be decoded by itself.
        traf_number: which ``traf`` of the fragment it is, from 1 on.
        absolute: whether the data are addressed from the start of the file.
    """

    start_ticks: int
    duration_ticks: int
    starts_with_key_frame: bool
    traf_number: int
    absolute: bool


def read_track(moov: bytes) -> Track | None:
    """Return the first video track, else the first track; None when the MP4 is not fragmented.

    Parameters:
        moov: the whole ``moov`` box.

    Raises:
        NotPlayable: a box is malformed.
    """
    try:
        defaults = dict(_defaults(moov, box) for box in find(moov, b"moov", b"mvex", b"trex"))
        tracks = [_track(moov, box) for box in find(moov, b"moov", b"trak")]
    except (struct.error, StopIteration, ValueError) as error:
        raise NotPlayable(f"the moov box is malformed: {error}") from error
    tracks = [entry for entry in tracks if entry[1] in defaults]
    if not tracks:
        return None
    _, track_id, timescale = next((entry for entry in tracks if entry[0] == b"vide"), tracks[0])
    if timescale == 0:
        raise NotPlayable(f"track {track_id} has no time scale")
    return Track(track_id, timescale, *defaults[track_id])


def read_run(moof: bytes, track: Track) -> TrackRun | None:
    """Return what a fragment holds of a track, or None when it holds nothing of it.

    Parameters:
        moof: the whole ``moof`` box.
        track: the track, as :func:`read_track` returns it.

    Raises:
        NotPlayable: a box is malformed.
    """
    try:
        for number, traf in enumerate(find(moof, b"moof", b"traf"), start=1):
            boxes = {box.type: box for box in children(moof, traf) if box.type != b"trun"}
            header = payload(moof, boxes[b"tfhd"])
            if struct.unpack_from(">I", header, 4)[0] == track.track_id:
                runs = [payload(moof, box) for box in children(moof, traf) if box.type == b"trun"]
                return _run(header, payload(moof, boxes[b"tfdt"]), runs, track, number)
    except (struct.error, KeyError) as error:
        raise NotPlayable(f"a moof box is malformed: {error}") from error
    return None


def _defaults(moov: bytes, trex: Box) -> tuple[int, tuple[int, int]]:
    track_id, _, duration, _, flags = struct.unpack_from(">5I", payload(moov, trex), 4)
    return track_id, (duration, flags)


def _track(moov: bytes, trak: Box) -> tuple[bytes, int, int]:
    """Return handler type, number and time scale."""
    inner = moov[trak.offset : trak.end]
    header = payload(inner, next(find(inner, b"trak", b"tkhd")))
    media = payload(inner, next(find(inner, b"trak", b"mdia", b"mdhd")))
    handler = payload(inner, next(find(inner, b"trak", b"mdia", b"hdlr")))
    (track_id,) = struct.unpack_from(">I", header, 20 if header[:1] == b"\1" else 12)
    (timescale,) = struct.unpack_from(">I", media, 20 if media[:1] == b"\1" else 12)
    return handler[8:12], track_id, timescale


def _run(header: bytes, tfdt: bytes, runs: list[bytes], track: Track, number: int) -> TrackRun:
    (flags,) = struct.unpack_from(">I", header)
    at = 8 + 8 * bool(flags & _BASE_DATA_OFFSET) + 4 * bool(flags & _DESCRIPTION_INDEX)
    duration, sample_flags = track.default_duration_ticks, track.default_flags
    if flags & _DURATION:
        (duration,) = struct.unpack_from(">I", header, at)
    at += 4 * bool(flags & _DURATION) + 4 * bool(flags & _SIZE)
    if flags & _FLAGS:
        (sample_flags,) = struct.unpack_from(">I", header, at)
    (decode_ticks,) = struct.unpack_from(">Q" if tfdt[:1] == b"\1" else ">I", tfdt, 4)
    total = sum(_run_duration(run, duration) for run in runs)
    offset, first_flags = _first_sample(runs[0], sample_flags) if runs else (0, sample_flags)
    is_key = bool(runs) and not first_flags & _NON_SYNC_SAMPLE
    absolute = bool(flags & _BASE_DATA_OFFSET)
    return TrackRun(max(0, decode_ticks + offset), total, is_key, number, absolute)


def _layout(run: bytes) -> tuple[int, int, int, int]:
    """Return flags, number of samples, where they begin, and the 4-byte fields of each."""
    word, count = struct.unpack_from(">II", run)
    begin = 8 + 4 * bool(word & _DATA_OFFSET) + 4 * bool(word & _FIRST_FLAGS)
    per_sample = (word >> 8 & 0xF).bit_count()
    return word & 0xFFFFFF, count, begin, per_sample


def _run_duration(run: bytes, default_ticks: int) -> int:
    flags, count, begin, per_sample = _layout(run)
    if not flags & _SAMPLE_DURATION:
        return count * default_ticks
    return sum(struct.unpack_from(f">{count * per_sample}I", run, begin)[::per_sample])


def _first_sample(run: bytes, default_flags: int) -> tuple[int, int]:
    """Return composition offset and flags of the first sample of a run."""
    flags, count, at, _ = _layout(run)
    composition, sample_flags = 0, default_flags
    if not count:
        return composition, sample_flags
    for bit in (_SAMPLE_DURATION, _SAMPLE_SIZE):
        at += 4 * bool(flags & bit)
    if flags & _SAMPLE_FLAGS:
        (sample_flags,) = struct.unpack_from(">I", run, at)
        at += 4
    if flags & _FIRST_FLAGS:
        (sample_flags,) = struct.unpack_from(">I", run, 8 + 4 * bool(flags & _DATA_OFFSET))
    if flags & _SAMPLE_OFFSET:
        # Version 0 calls the offset unsigned, yet muxers store negative ones there too.
        (composition,) = struct.unpack_from(">i", run, at)
    return composition, sample_flags
