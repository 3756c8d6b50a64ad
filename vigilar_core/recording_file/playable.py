"""A recording as players want it: seekable over HTTP ranges without reading it whole.

A fragmented MP4 states neither its duration nor where which moment lies, so that a player has to
fetch all of it before it can seek. The view inserts, behind the ``moov`` box, the segment index
that tells both (``sidx``, ISO/IEC 14496-12, 8.16.3), and states the duration in ``mehd`` (8.8.2).
The fragments themselves stay where they are and are read only when asked for.

::

    recording   ftyp  moov         free  moof mdat free  moof mdat free  …  mfra
    view        ftyp  moov+mehd  sidx    moof mdat free  moof mdat free  …
"""

from __future__ import annotations

import struct

from vigilar_core.recording_file.boxes import find, make_box, make_full_box, payload
from vigilar_core.recording_file.errors import NotPlayable
from vigilar_core.recording_file.fragments import (
    FragmentIndex,
    Init,
    Stretch,
    read_index,
    read_init,
)
from vigilar_core.recording_file.random_access import RandomAccessFile

#: A sidx box has a 16-bit count.
_MAX_REFERENCES = 0xFFFF
_SAP_TYPE_1 = 0x90000000


class PlayableView(RandomAccessFile):
    """A read-only, seekable MP4 over the plaintext of a recording, sealed or not.

    An MP4 that is not fragmented, as in a legacy recording, is passed through unchanged. A file
    that still grows is seen as it was when the view was made.

    Parameters:
        source: the plaintext; closed together with the view.

    Raises:
        NotPlayable: the plaintext has no whole ``moov`` box.
        RecordingDamaged: a part that is needed is not authentic.
    """

    def __init__(self, source: RandomAccessFile) -> None:
        self._source = source
        init = read_init(source)
        #: Index of the fragments; None for an MP4 that is not fragmented.
        self.index = read_index(source, init) if init.track is not None else None
        if self.index is None:
            self._head, self._body_offset, body_size = b"", 0, source.size_bytes
        else:
            stretches = self.index.stretches()
            self._head = _head(init, self.index, stretches)
            self._body_offset = stretches[0].offset if stretches else 0
            body_size = self.index.end_offset - self._body_offset if stretches else 0
        self.size_bytes = len(self._head) + body_size
        self._owned = source

    @property
    def duration_s(self) -> float | None:
        """Duration in seconds; None when the MP4 itself states it."""
        return self.index.duration_s if self.index is not None else None

    def read_at(self, position: int, size: int) -> bytes:
        """Return a part of the view."""
        data = self._head[position : position + size]
        left = size - len(data)
        if left:
            begin = max(0, position - len(self._head))
            data += self._source.read_at(self._body_offset + begin, left)
        return data


def _head(init: Init, index: FragmentIndex, stretches: list[Stretch]) -> bytes:
    head = init.ftyp + with_duration(init.moov, index.duration_s)
    return head + make_sidx(index, stretches) if stretches else head


def with_duration(moov: bytes, duration_s: float) -> bytes:
    """Return a ``moov`` box whose ``mvex`` states the duration.

    Parameters:
        moov: the whole box, of a fragmented MP4.
        duration_s: duration of the longest track, fragments included.

    Raises:
        NotPlayable: the movie header is missing.
    """
    movie = next(find(moov, b"moov", b"mvhd"), None)
    if movie is None or movie.size_bytes < 32:
        raise NotPlayable("the moov box has no movie header")
    header = payload(moov, movie)
    (timescale,) = struct.unpack_from(">I", header, 20 if header[:1] == b"\1" else 12)
    mehd = make_full_box(b"mehd", 1, 0, struct.pack(">Q", round(duration_s * timescale)))
    (moov_box,) = find(moov, b"moov")
    mvex = next(find(moov, b"moov", b"mvex"))
    kept = _without_mehd(payload(moov, mvex))
    before, after = moov[moov_box.payload_offset : mvex.offset], moov[mvex.end :]
    return make_box(b"moov", before, make_box(b"mvex", mehd, kept), after)


def _without_mehd(mvex: bytes) -> bytes:
    for box in find(mvex, b"mehd"):
        return mvex[: box.offset] + mvex[box.end :]
    return mvex


def make_sidx(index: FragmentIndex, stretches: list[Stretch]) -> bytes:
    """Return a ``sidx`` box that has to stand right in front of the first stretch.

    Parameters:
        index: whose track and time scale count.
        stretches: at least one; neighbours are joined when there are more than the box can list.
    """
    joined = _join(stretches)
    references = [
        struct.pack(">III", entry.size_bytes, entry.duration_ticks, _SAP_TYPE_1) for entry in joined
    ]
    head = struct.pack(
        ">IIQQHH", index.track.track_id, index.track.timescale, joined[0].start_ticks, 0, 0,
        len(references),
    )  # fmt: skip
    return make_full_box(b"sidx", 1, 0, head, *references)


def _join(stretches: list[Stretch]) -> list[Stretch]:
    step = -(-len(stretches) // _MAX_REFERENCES)
    if step == 1:
        return stretches
    groups = [stretches[at : at + step] for at in range(0, len(stretches), step)]
    return [
        Stretch(
            group[0].offset,
            sum(entry.size_bytes for entry in group),
            group[0].start_ticks,
            sum(entry.duration_ticks for entry in group),
        )
        for group in groups
    ]
