"""Turns a recording of the older format into one of the present format, in its place.

The older format cannot show that it was changed; what is in the file at the time of the
conversion is what the new one vouches for from then on.
"""

from __future__ import annotations

import os
import secrets
from contextlib import closing
from pathlib import Path
from typing import IO, cast

import av

from vigilar_core.recording_file import (
    LegacyRecordingReader,
    Mp4RecordingWriter,
    RecordingMetadata,
    RecordingWriter,
    open_recording,
)

#: Fragments of half a second, one at each key frame, addressed from their own start.
_MUXER = {
    "movflags": "empty_moov+default_base_moof+frag_keyframe",
    "frag_duration": "500000",
}


def upgrade(path: Path, key: bytes, *, camera: str) -> bool:
    """Convert one file; it is replaced only when the new one is complete and on the disk.

    :param path: a recording of either format
    :param key: 32 bytes; both formats use the same
    :param camera: id of the camera, which the older format does not name
    :returns: whether there was something to do
    :raises NotARecording: the key does not turn it into an MP4
    :raises ValueError: FFmpeg cannot read it
    :raises OSError: the disk is full or broken; the old file is still there
    """
    with closing(open_recording(path, key, allow_unsealed=True)) as plain:
        if not isinstance(plain, LegacyRecordingReader):
            return False
        draft = path.with_name(f".{path.name}.part")
        try:
            _convert(plain, draft, key, camera, int(path.stat().st_mtime * 1e6))
            draft.replace(path)
        except BaseException as error:
            # Half a file is worse than the old one, whatever the reason.
            draft.unlink(missing_ok=True)
            if isinstance(error, av.FFmpegError):
                raise ValueError(f"{path} cannot be converted: {error}") from error
            raise
    _sync_folder(path.parent)
    return True


def _convert(
    plain: LegacyRecordingReader, draft: Path, key: bytes, camera: str, ended_time_us: int
) -> None:
    with av.open(cast("IO[bytes]", plain), "r", format="mp4") as source:
        wanted = [each for each in source.streams if each.type in ("video", "audio")]
        video = source.streams.video[0]
        audio = next((each.codec_context.name for each in source.streams.audio), None)
        metadata = RecordingMetadata(
            recording_id=secrets.token_hex(16),
            camera=camera,
            started_time_us=ended_time_us - (source.duration or 0),
            video_codec=video.codec_context.name,
            audio_codec=audio,
        )
        with draft.open("xb", buffering=0) as file:
            sink = Mp4RecordingWriter(RecordingWriter(file, key, metadata))
            with av.open(cast("IO[bytes]", sink), "w", format="mp4", options=_MUXER) as target:
                outputs = {each.index: target.add_stream_from_template(each) for each in wanted}
                for packet in source.demux(wanted):
                    if packet.dts is not None:
                        packet.stream = outputs[packet.stream.index]
                        target.mux(packet)
            sink.seal()


def _sync_folder(folder: Path) -> None:
    """Make the new name of the file last through a power cut (fsync(2), notes on folders)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
