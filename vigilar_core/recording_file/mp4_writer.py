"""Takes a fragmented MP4 from a muxer and makes a recording file of it, fragment by fragment."""

from __future__ import annotations

import io

from vigilar_core.recording_file.boxes import walk
from vigilar_core.recording_file.errors import NotPlayable
from vigilar_core.recording_file.fragments import Fragment, FragmentIndex
from vigilar_core.recording_file.tracks import TrackRun, read_run, read_track
from vigilar_core.recording_file.writer import RecordingWriter, SealedFile


class Mp4RecordingWriter:
    """A sink for the bytes of a muxer, in pieces of any size.

    Each whole fragment is flushed and indexed at once. The muxer must not seek, must write
    ``moov`` first and address data relative to the fragment (FFmpeg: ``movflags``
    ``empty_moov+default_base_moof`` with ``frag_keyframe`` or ``frag_custom``). Its own ``mfra``
    box is dropped, because padding moves the fragments.

    Playback can begin only at a fragment that starts with a key frame; the muxer therefore has
    to begin a fragment at each key frame, besides those that are due in between.

    Parameters:
        writer: a fresh writer; this object flushes and seals it.
    """

    def __init__(self, writer: RecordingWriter) -> None:
        self._writer = writer
        self._pending = bytearray()
        self._run: TrackRun | None = None
        self._moof_offset = -1
        #: Index of what was written; None until the ``moov`` box came.
        self.index: FragmentIndex | None = None

    def write(self, data: bytes) -> int:
        """Take the next bytes of the muxer.

        Raises:
            OSError: the disk is full or broken.
            NotPlayable: the bytes are not a fragmented MP4 of the kind asked for.
        """
        self._pending += data
        taken = 0
        whole = bytes(self._pending) if self._holds_whole_box() else b""
        for box in walk(io.BytesIO(whole)):
            self._take(box.type, whole[box.offset : box.end])
            taken = box.end
        del self._pending[:taken]
        return len(data)

    def seal(self, *, durable: bool = True) -> SealedFile:
        """Finish the file with its index; an incomplete fragment is left out.

        Raises:
            OSError: the disk is full or broken.
        """
        trailer = self.index.to_mfra() if self.index is not None else b""
        return self._writer.seal(trailer, durable=durable)

    def _holds_whole_box(self) -> bool:
        size = int.from_bytes(self._pending[:4], "big")
        if size == 1:
            size = int.from_bytes(self._pending[8:16], "big")
        return len(self._pending) >= 16 and len(self._pending) >= size

    def _take(self, kind: bytes, box: bytes) -> None:
        if kind == b"mfra":
            return
        if kind == b"moov":
            self._start_index(box)
        elif kind == b"moof":
            self._start_fragment(box)
        self._writer.write(box)
        if kind == b"moov" or (kind == b"mdat" and self._moof_offset >= 0):
            self._end_fragment()

    def _start_index(self, moov: bytes) -> None:
        track = read_track(moov)
        if track is None:
            raise NotPlayable("the muxer does not write a fragmented MP4")
        self.index = FragmentIndex(track)

    def _start_fragment(self, moof: bytes) -> None:
        if self.index is None:
            raise NotPlayable("the muxer wrote a fragment before the moov box")
        self._run = read_run(moof, self.index.track)
        if self._run is not None and self._run.absolute:
            raise NotPlayable("the muxer addresses data from the file's start: default_base_moof")
        self._moof_offset = self._writer.position

    def _end_fragment(self) -> None:
        offset, self._moof_offset = self._moof_offset, -1
        end = self._writer.position
        self._writer.flush()
        if offset >= 0 and self.index is not None:
            self.index.add(Fragment(offset, end - offset, self._run))
