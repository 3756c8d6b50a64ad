"""Compares the register with the disk: what is on one side only, unsealed, or damaged."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vigilar_core.recording_file import RecordingError, RecordingInUse, RecordingReader, WrongKey
from vigilar_core.recording_file.writer import lock
from vigilar_recorder import files
from vigilar_recorder.facts import RecordingFacts
from vigilar_recorder.layout import (
    PLAIN_SUFFIX,
    RECORDING_SUFFIXES,
    THUMBNAIL_SUFFIXES,
    absolute,
)
from vigilar_recorder.open_notes import OpenNotes
from vigilar_recorder.register import Recording, Register


class Finding(enum.StrEnum):
    """What is wrong with a recording."""

    MISSING_FILE = "missing file"
    UNREGISTERED = "unregistered"
    UNSEALED = "unsealed"
    DAMAGED = "damaged"
    WRONG_KEY = "other key"
    STRAY_THUMBNAIL = "stray thumbnail"
    HALF_DELETED = "half deleted"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing found.

    :param path: relative to ``recordings_dir``
    :param row: of the register, if there is one
    """

    finding: Finding
    path: str
    detail: str = ""
    row: Recording | None = None


class Checker:
    """Looks at every recording of an installation.

    :param key: the storage key, ``None`` when there is none
    """

    def __init__(self, register: Register, recordings_dir: Path, key: bytes | None) -> None:
        self._register = register
        self._root = recordings_dir
        self._key = key

    def look(self, *, contents: bool = True) -> Iterator[Trouble]:
        """Everything that is wrong.

        :param contents: also read every recording and verify all of its segments
        """
        rows = {row.path: row for row in self._register.all()}
        on_disk = set(self._files(RECORDING_SUFFIXES))
        for path, row in rows.items():
            yield from self._row(row, path in on_disk, contents)
        for path in sorted(on_disk - rows.keys()):
            if not self._in_use(path):
                yield Trouble(Finding.UNREGISTERED, path, "the register does not know it")
        known = {row.thumbnail for row in rows.values()}
        for path in sorted(set(self._files(THUMBNAIL_SUFFIXES)) - known):
            yield Trouble(Finding.STRAY_THUMBNAIL, path, "no recording has this thumbnail")

    def repair(self, trouble: Trouble) -> str:
        """Put right what can be put right without losing a picture.

        :returns: what was done; empty when nothing can be done
        :raises RecordingError: it cannot be mended
        :raises OSError: the disk is full or broken
        """
        if trouble.finding is Finding.MISSING_FILE and trouble.row is not None:
            self._register.remove_rows([trouble.row.id])
            return "row removed"
        if trouble.finding is Finding.HALF_DELETED and trouble.row is not None:
            from vigilar_recorder.removal import unlink  # needs the bus, which looking does not

            return "file removed" if unlink(self._root, trouble.row) else ""
        if trouble.finding is Finding.STRAY_THUMBNAIL:
            absolute(self._root, trouble.path).unlink(missing_ok=True)
            return "thumbnail removed"
        if trouble.finding in (Finding.UNREGISTERED, Finding.UNSEALED):
            return self._register_again(trouble)
        return ""

    def _row(self, row: Recording, there: bool, contents: bool) -> Iterator[Trouble]:
        if row.deleting_reason is not None:
            yield Trouble(Finding.HALF_DELETED, row.path, row.deleting_reason, row)
        elif not there:
            yield Trouble(Finding.MISSING_FILE, row.path, "the file is gone", row)
        elif not row.sealed:
            if not self._in_use(row.path):
                yield Trouble(Finding.UNSEALED, row.path, "it was never finished", row)
        elif contents and (found := self._content(row)) is not None:
            yield found

    def _content(self, row: Recording) -> Trouble | None:
        try:
            path = absolute(self._root, row.path)
            if row.size_bytes is not None and path.stat().st_size != row.size_bytes:
                return Trouble(Finding.DAMAGED, row.path, "its size has changed", row)
            files.verify(path, self._key)
        except WrongKey as error:
            return Trouble(Finding.WRONG_KEY, row.path, str(error), row)
        except (OSError, RecordingError, ValueError) as error:
            return Trouble(Finding.DAMAGED, row.path, str(error), row)
        return None

    def _files(self, suffixes: frozenset[str]) -> Iterator[str]:
        for path in self._root.glob("*/*/*/*/*"):
            noted = path.relative_to(self._root).as_posix()
            if path.suffix in suffixes:
                yield noted

    def _in_use(self, noted: str) -> bool:
        """Whether a recorder is writing it now."""
        try:
            with absolute(self._root, noted).open("r+b") as file:
                lock(file)
        except RecordingInUse:
            return True
        except (OSError, ValueError):
            return False
        return False

    def _register_again(self, trouble: Trouble) -> str:
        path = absolute(self._root, trouble.path)
        facts = self._facts(trouble.path, path)
        sealed, seconds = files.mend(path, self._key)
        if not seconds:
            path.unlink()
            if trouble.row is not None:
                self._register.remove_rows([trouble.row.id])
            return "removed, there is no picture in it"
        end_time_us = facts.start_time_us + round(seconds * 1e6)
        row = {
            "id": facts.id, "camera": facts.camera, "path": trouble.path,
            "start_time_us": facts.start_time_us, "end_time_us": end_time_us,
            "duration_s": round(seconds, 3), "size_bytes": sealed.size_bytes,
            "sha256": sealed.sha256, "sealed": True, "recovered": True, "ended_by": "crash",
        }  # fmt: skip
        if trouble.row is None:
            row |= {
                "trigger": facts.trigger, "trigger_time_us": facts.trigger_time_us, "who": "",
                "pre_roll_s": facts.pre_roll_s, "video_codec": facts.video_codec,
                "audio_codec": facts.audio_codec, "width": facts.width, "height": facts.height,
                "key_frames_only": facts.key_frames_only, "encrypted": facts.encrypted,
                "starred": False, "held": False,
            }  # fmt: skip
        self._register.note(row)
        OpenNotes(self._root, facts.camera).remove(facts.id)
        return "sealed and registered"

    def _facts(self, noted: str, path: Path) -> RecordingFacts:
        """What the note or the file itself tells of a recording."""
        camera = noted.partition("/")[0]
        for facts in OpenNotes(self._root, camera).read():
            if facts.path == noted:
                return facts
        start_time_us, video, audio = round(path.stat().st_mtime * 1e6), "", None
        if path.suffix != PLAIN_SUFFIX:
            with files.open_file(path, self._key, sealed=False) as plain:
                if isinstance(plain, RecordingReader):
                    metadata = plain.cipher.header.metadata
                    start_time_us = metadata.started_time_us
                    video, audio = metadata.video_codec, metadata.audio_codec
        width, height = files.picture_size(path, self._key)
        return RecordingFacts(
            path.stem, camera, noted, start_time_us, "continuous", start_time_us, "", 0.0,
            video, audio, width, height, False, path.suffix != PLAIN_SUFFIX,
        )  # fmt: skip
