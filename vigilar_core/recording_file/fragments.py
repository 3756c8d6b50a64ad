"""Index of a fragmented MP4: where in the file which moment lies.

The unit is the stretch from one key frame to the next, because playback can begin only there; a
stretch is one or more ``moof`` + ``mdat`` pairs. While writing, the index is gathered; at sealing
it becomes an ``mfra`` box (ISO/IEC 14496-12, 8.8.9–8.8.11) at the very end of the plaintext; when
that is missing, because the writer was killed, the ``moof`` boxes are walked instead. Both give
the same index.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vigilar_core.recording_file.boxes import (
    Seekable,
    find,
    make_box,
    make_full_box,
    payload,
    read_range,
    walk,
)
from vigilar_core.recording_file.errors import NotPlayable
from vigilar_core.recording_file.tracks import Track, TrackRun, read_run, read_track

_MFRO_SIZE = 16
_TFRA_HEAD = struct.Struct(">III")
_TFRA_ENTRY = struct.Struct(">QQBBB")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A ``moof`` box with its ``mdat``.

    Parameters:
        offset: position of the ``moof`` box in the plaintext, in bytes.
        size_bytes: size of both boxes and what stands between them.
        run: what it holds of the indexed track, or None.
    """

    offset: int
    size_bytes: int
    run: TrackRun | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Fragments from one key frame up to the next.

    Parameters:
        offset: position of the first ``moof`` box in the plaintext, in bytes.
        size_bytes: distance to the next stretch, padding included.
        start_ticks: presentation time of the first sample.
        duration_ticks: time to the next stretch.
    """

    offset: int
    size_bytes: int
    start_ticks: int
    duration_ticks: int


@dataclass(frozen=True, slots=True)
class Init:
    """What stands in front of the first fragment.

    Parameters:
        ftyp: the whole ``ftyp`` box, or nothing.
        moov: the whole ``moov`` box.
        track: the track that is indexed; None when the MP4 is not fragmented.
        end: position behind the ``moov`` box in the plaintext, in bytes.
    """

    ftyp: bytes
    moov: bytes
    track: Track | None
    end: int


class FragmentIndex:
    """Gathers fragments in the order of the file.

    Parameters:
        track: the track whose time counts.
        starts: offset, time in ticks and traf number of stretches that are known already.
    """

    def __init__(self, track: Track, starts: Iterable[tuple[int, int, int]] = ()) -> None:
        self.track = track
        self._starts = list(starts)
        #: Position in the plaintext behind the last fragment, in bytes.
        self.end_offset = 0
        #: Presentation time at which the last fragment ends.
        self.end_ticks = 0

    @property
    def duration_s(self) -> float:
        """Time from the first fragment to the end of the last."""
        first = self._starts[0][1] if self._starts else self.end_ticks
        return (self.end_ticks - first) / self.track.timescale

    def add(self, fragment: Fragment) -> None:
        """Take the next fragment; the first one always begins a stretch."""
        self.end_offset = fragment.offset + fragment.size_bytes
        run = fragment.run
        if run is None:
            return
        if run.starts_with_key_frame or not self._starts:
            self._starts.append((fragment.offset, run.start_ticks, run.traf_number))
        self.end_ticks = max(self.end_ticks, run.start_ticks + run.duration_ticks)

    def stretches(self) -> list[Stretch]:
        """Return the stretches without a gap between them."""
        ends = [(offset, ticks) for offset, ticks, _ in self._starts[1:]]
        ends.append((self.end_offset, self.end_ticks))
        return [
            Stretch(offset, end - offset, ticks, max(0, end_ticks - ticks))
            for (offset, ticks, _), (end, end_ticks) in zip(self._starts, ends, strict=False)
        ]

    def to_mfra(self) -> bytes:
        """Return the ``mfra`` box, which has to stand at the very end of the plaintext."""
        entries = [_TFRA_ENTRY.pack(ticks, at, traf, 1, 1) for at, ticks, traf in self._starts]
        head = _TFRA_HEAD.pack(self.track.track_id, 0, len(entries))
        tfra = make_full_box(b"tfra", 1, 0, head, *entries)
        size = 8 + len(tfra) + _MFRO_SIZE
        return make_box(b"mfra", tfra, make_full_box(b"mfro", 0, 0, struct.pack(">I", size)))


def read_init(file: Seekable) -> Init:
    """Read the boxes in front of the first fragment.

    Raises:
        NotPlayable: there is no whole ``moov`` box.
    """
    ftyp = b""
    for box in walk(file):
        if box.type == b"ftyp":
            ftyp = read_range(file, box.offset, box.size_bytes)
        elif box.type == b"moov":
            moov = read_range(file, box.offset, box.size_bytes)
            return Init(ftyp, moov, read_track(moov), box.end)
    raise NotPlayable("the recording has no moov box")


def read_fragments(file: Seekable, track: Track, start: int) -> Iterator[Fragment]:
    """Walk the whole fragments from a position on.

    Parameters:
        file: the plaintext.
        track: the track to look at.
        start: position of a top-level box in bytes.
    """
    moof_offset, run = -1, None
    for box in walk(file, start):
        if box.type == b"moof":
            moof_offset = box.offset
            run = read_run(read_range(file, box.offset, box.size_bytes), track)
        elif box.type == b"mdat" and moof_offset >= 0:
            yield Fragment(moof_offset, box.end - moof_offset, run)
            moof_offset = -1


def read_index(file: Seekable, init: Init) -> FragmentIndex:
    """Return the index of a fragmented MP4, from its ``mfra`` box when it has one.

    Parameters:
        file: the plaintext.
        init: what :func:`read_init` returned; its track must not be None.
    """
    if init.track is None:
        raise NotPlayable("the MP4 is not fragmented")
    starts = _read_mfra(file, init.track)
    index = FragmentIndex(init.track, starts[:-1])
    # The table has no end, so the last stretch is walked in any case.
    for fragment in read_fragments(file, init.track, starts[-1][0] if starts else init.end):
        index.add(fragment)
    return index


def _read_mfra(file: Seekable, track: Track) -> list[tuple[int, int, int]]:
    """Return offset, time and traf number of each entry; nothing when there is no index."""
    size = file.seek(0, 2)
    tail = read_range(file, max(0, size - _MFRO_SIZE), _MFRO_SIZE)
    if len(tail) < _MFRO_SIZE or tail[:8] != struct.pack(">I4s", _MFRO_SIZE, b"mfro"):
        return []
    (mfra_size,) = struct.unpack_from(">I", tail, 12)
    mfra = read_range(file, max(0, size - mfra_size), mfra_size)
    for box in find(mfra, b"mfra", b"tfra"):
        entries = _parse_tfra(payload(mfra, box), track.track_id)
        if entries and all(_is_moof(file, entry[0]) for entry in (entries[0], entries[-1])):
            return entries
    return []


def _is_moof(file: Seekable, offset: int) -> bool:
    """Guard against a muxer's own table, which padding has made wrong."""
    return read_range(file, offset, 8)[4:] == b"moof"


def _parse_tfra(tfra: bytes, track_id: int) -> list[tuple[int, int, int]]:
    """Return the entries of a table as :meth:`FragmentIndex.to_mfra` writes it."""
    if len(tfra) < 16 or tfra[0] != 1:
        return []
    owner, lengths, count = _TFRA_HEAD.unpack_from(tfra, 4)
    if owner != track_id or lengths or len(tfra) != 16 + count * _TFRA_ENTRY.size:
        return []
    entries = _TFRA_ENTRY.iter_unpack(tfra[16:])
    return [(offset, ticks, traf) for ticks, offset, traf, _, _ in entries]
