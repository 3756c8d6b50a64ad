"""Where a recording lies below ``recordings_dir``, and the way back from a noted path to a file."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from pathlib import Path, PurePosixPath

from vigilar_core.bus import topics

ENCRYPTED_SUFFIX, PLAIN_SUFFIX = ".vge", ".mp4"
ENCRYPTED_THUMBNAIL, PLAIN_THUMBNAIL = ".vgt", ".jpg"
RECORDING_SUFFIXES = frozenset({ENCRYPTED_SUFFIX, PLAIN_SUFFIX})
THUMBNAIL_SUFFIXES = frozenset({ENCRYPTED_THUMBNAIL, PLAIN_THUMBNAIL})
#: Folder of a camera that notes its open recordings.
OPEN_FOLDER = ".open"


def relative_path(
    camera: str, recording: str, start_time_us: int, zone: tzinfo, *, encrypted: bool
) -> PurePosixPath:
    """``hall/2026/03/29/0195e….vge``: the day is the household's, the name is the id.

    :raises ValueError: camera or recording is not an id
    """
    day = datetime.fromtimestamp(start_time_us / 1e6, UTC).astimezone(zone)
    suffix = ENCRYPTED_SUFFIX if encrypted else PLAIN_SUFFIX
    name = topics.check_id(recording) + suffix
    return PurePosixPath(topics.check_id(camera), f"{day:%Y}", f"{day:%m}", f"{day:%d}", name)


def thumbnail_path(recording: PurePosixPath) -> PurePosixPath:
    """The thumbnail lies beside its recording."""
    encrypted = recording.suffix == ENCRYPTED_SUFFIX
    return recording.with_suffix(ENCRYPTED_THUMBNAIL if encrypted else PLAIN_THUMBNAIL)


def absolute(recordings_dir: Path, noted: str) -> Path:
    """The file that a noted path means.

    Only paths of the form that :func:`relative_path` makes are followed, so that a row that was
    tampered with leads nowhere else; symbolic links out of the folder are refused too.

    :raises ValueError: the path is of another form
    """
    parts = noted.split("/")
    camera, *day, name = parts
    if len(parts) != 5 or not all(part.isascii() and part.isdigit() for part in day):
        raise ValueError(f"{noted!r} is not the path of a recording")
    stem, _, suffix = name.partition(".")
    if f".{suffix}" not in RECORDING_SUFFIXES | THUMBNAIL_SUFFIXES:
        raise ValueError(f"{noted!r} is not the path of a recording")
    topics.check_id(camera)
    topics.check_id(stem)
    path = recordings_dir.joinpath(*parts)
    if not path.resolve().is_relative_to(recordings_dir.resolve()):
        raise ValueError(f"{noted!r} leads out of {recordings_dir}")
    return path
