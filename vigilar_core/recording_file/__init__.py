"""The recording file ``.vge``: an authenticated, seekable, encrypted fragmented MP4.

=====================  ========================================================================
offset                 content
=====================  ========================================================================
0                      clear header of H bytes: :mod:`~vigilar_core.recording_file.header`
H                      encrypted stream: :mod:`~vigilar_core.recording_file.segments`
=====================  ========================================================================

The plaintext is a fragmented MP4: ``ftyp``, ``moov``, then ``moof`` + ``mdat`` for each fragment,
each filled up to whole segments with a ``free`` box, and at the end of a sealed file ``mfra``.
"""

from vigilar_core.recording_file.errors import (
    NotARecording,
    NotPlayable,
    RecordingDamaged,
    RecordingError,
    RecordingInUse,
    WrongKey,
)
from vigilar_core.recording_file.fragments import Fragment, FragmentIndex, Stretch
from vigilar_core.recording_file.header import RecordingMetadata, key_id
from vigilar_core.recording_file.legacy import LegacyRecordingReader
from vigilar_core.recording_file.mp4_writer import Mp4RecordingWriter
from vigilar_core.recording_file.opening import open_recording
from vigilar_core.recording_file.playable import PlayableView
from vigilar_core.recording_file.random_access import RandomAccessFile
from vigilar_core.recording_file.reader import RecordingReader, RecordingState
from vigilar_core.recording_file.salvage import Salvaged, salvage
from vigilar_core.recording_file.writer import RecordingWriter, SealedFile

__all__ = [
    "Fragment",
    "FragmentIndex",
    "LegacyRecordingReader",
    "Mp4RecordingWriter",
    "NotARecording",
    "NotPlayable",
    "PlayableView",
    "RandomAccessFile",
    "RecordingDamaged",
    "RecordingError",
    "RecordingInUse",
    "RecordingMetadata",
    "RecordingReader",
    "RecordingState",
    "RecordingWriter",
    "Salvaged",
    "SealedFile",
    "Stretch",
    "WrongKey",
    "key_id",
    "open_recording",
    "salvage",
]
