"""Makes an ordinary MP4 of a recording: the index in front, no fragments, every player seeks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

import av

from vigilar_core.recording_file import PlayableView, RandomAccessFile, RecordingError

Progress = Callable[[float], None]


def export(plain: RandomAccessFile, target: Path, progress: Progress | None = None) -> None:
    """Copy the streams of a recording into a new file; nothing is encoded anew.

    The target appears only when it is complete.

    :param plain: the plaintext of the recording; not closed
    :param progress: called with the share that is done, 0.0 to 1.0
    :raises FileExistsError: the target is there already; it is left as it is
    :raises RecordingError: the recording is damaged
    :raises ValueError: FFmpeg cannot read or write it
    """
    draft = target.with_name(f".{target.name}.part")
    _claim(target)
    try:
        _claim(draft)
        _remux(plain, draft, progress)
        draft.replace(target)
    except BaseException as error:
        # Half a file, or the placeholder of one, is worse than none, whatever the reason.
        draft.unlink(missing_ok=True)
        target.unlink(missing_ok=True)
        if isinstance(error, av.FFmpegError):
            raise ValueError(f"the recording cannot be exported: {error}") from error
        raise


def _claim(path: Path) -> None:
    """Make a file that only its owner reads, unless there is one."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


class _Source:
    """A recording for PyAV, which prints errors of a file that it cannot pass on.

    The first one is kept here, and from then on the file is at its end.
    """

    def __init__(self, view: PlayableView) -> None:
        self._view = view
        self.error: RecordingError | OSError | None = None
        self.seek, self.tell = view.seek, view.tell

    def read(self, size: int = -1) -> bytes:
        if self.error is None:
            try:
                return self._view.read(size)
            except (RecordingError, OSError) as error:
                self.error = error
        return b""


def _remux(plain: RandomAccessFile, draft: Path, progress: Progress | None) -> None:
    view = PlayableView(plain)
    source = _Source(view)
    try:
        _copy(source, view.size_bytes, draft, progress)
    finally:
        if source.error is not None:
            raise source.error


def _copy(file: _Source, size_bytes: int, draft: Path, progress: Progress | None) -> None:
    total = max(1, size_bytes)
    with (
        av.open(cast("IO[bytes]", file), "r", format="mp4") as source,
        av.open(str(draft), "w", format="mp4", options={"movflags": "+faststart"}) as sink,
    ):
        wanted = [each for each in source.streams if each.type in ("video", "audio")]
        outputs = {each.index: sink.add_stream_from_template(each) for each in wanted}
        for packet in source.demux(wanted):
            if packet.dts is None:
                continue
            if progress is not None and packet.pos is not None:
                progress(min(1.0, packet.pos / total))
            packet.stream = outputs[packet.stream.index]
            sink.mux(packet)
    if progress is not None:
        progress(1.0)
