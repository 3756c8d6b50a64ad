"""Makes, opens and mends the file of a recording, encrypted or plain."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO, cast

from vigilar_core.recording_file import (
    Mp4RecordingWriter,
    PlayableView,
    RandomAccessFile,
    RecordingError,
    RecordingMetadata,
    RecordingReader,
    RecordingWriter,
    SealedFile,
    open_recording,
    salvage,
)
from vigilar_recorder.facts import RecordingFacts
from vigilar_recorder.layout import PLAIN_SUFFIX
from vigilar_recorder.plain_file import PlainReader, PlainWriter, salvage_plain

_FILE_MODE, _FOLDER_MODE = 0o640, 0o750


def create(
    path: Path, key: bytes | None, facts: RecordingFacts
) -> tuple[io.FileIO, Mp4RecordingWriter]:
    """Make the file of a new recording.

    :param key: encrypt under these 32 bytes; ``None``: plain
    :returns: the open file, which the caller closes, and what takes the fragments
    :raises OSError: it cannot be made; nothing is left behind
    """
    path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
    file = os.fdopen(descriptor, "wb", buffering=0)
    try:
        if key is None:
            writer = cast("RecordingWriter", PlainWriter(file))  # it has the methods in use
        else:
            writer = RecordingWriter(file, key, _metadata(facts))
    except BaseException:
        # Whatever happened, an empty recording helps nobody.
        file.close()
        path.unlink(missing_ok=True)
        raise
    return file, Mp4RecordingWriter(writer)


def write_private(path: Path, data: bytes) -> None:
    """Write a small file that belongs to a recording, with the recording's own mode.

    :raises OSError: the disk is full or broken
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _metadata(facts: RecordingFacts) -> RecordingMetadata:
    return RecordingMetadata(
        facts.id, facts.camera, facts.start_time_us, facts.video_codec, facts.audio_codec
    )


def open_file(path: Path, key: bytes | None, *, sealed: bool) -> RandomAccessFile:
    """The plaintext of a recording of any format.

    :param key: not needed for a plain one
    :param sealed: whether it must be complete; an open or broken-off one is read as far as it goes
    :raises RecordingError: it is damaged, or written under another key
    :raises OSError: it cannot be read
    """
    if path.suffix == PLAIN_SUFFIX:
        return PlainReader(path.open("rb"))
    if key is None:
        raise RecordingError("the recording is encrypted and there is no storage key")
    return open_recording(path, key, allow_unsealed=not sealed)


def mend(path: Path, key: bytes | None) -> tuple[SealedFile, float]:
    """Seal a recording whose writer died; a sealed one is left as it is.

    :returns: the file and the seconds of video in it
    :raises RecordingError: it cannot be mended, or its writer is alive
    :raises OSError: the disk is full or broken
    """
    if path.suffix == PLAIN_SUFFIX:
        sealed, _ = salvage_plain(path)
    elif key is None:
        raise RecordingError("the recording is encrypted and there is no storage key")
    else:
        sealed = salvage(path, key).file
    return sealed, duration_s(path, key)


def duration_s(path: Path, key: bytes | None) -> float:
    """Seconds of video in a sealed recording.

    :raises RecordingError: it is damaged or holds no fragments
    """
    with PlayableView(open_file(path, key, sealed=True)) as view:
        return view.duration_s or 0.0


def verify(path: Path, key: bytes | None) -> None:
    """Check every part of a sealed recording; a legacy or plain one can only be looked into.

    :raises RecordingError: it is damaged, unsealed, or nothing can be played
    """
    with open_file(path, key, sealed=True) as plain:
        if isinstance(plain, RecordingReader):
            plain.verify()
        with PlayableView(plain) as view:
            if view.index is None and path.suffix == PLAIN_SUFFIX:
                raise RecordingError("it is not a fragmented MP4")


def picture_size(path: Path, key: bytes | None) -> tuple[int, int]:
    """Width and height of the video in pixels, as far as the file goes.

    :raises RecordingError: it is damaged or holds no video
    """
    import av  # only repairs look into a recording this way

    try:
        with (
            open_file(path, key, sealed=False) as plain,
            av.open(cast("IO[bytes]", PlayableView(plain))) as container,
        ):
            stream = container.streams.video[0]
            return stream.width, stream.height
    except (av.FFmpegError, IndexError) as error:
        raise RecordingError(f"it holds no video: {error}") from error
