"""Notes of the recordings that are open, one small file each.

A note is there before its recording, and goes when the event of the sealed recording is on its
way. Whatever a crash leaves behind is therefore noted, and finding it needs no search through
years of recordings.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from vigilar_core.bus import topics
from vigilar_recorder.facts import RecordingFacts
from vigilar_recorder.files import write_private
from vigilar_recorder.layout import OPEN_FOLDER


class OpenNotes:
    """The notes of one camera.

    :param recordings_dir: root of all recordings
    """

    def __init__(self, recordings_dir: Path, camera: str) -> None:
        self._folder = recordings_dir / topics.check_id(camera) / OPEN_FOLDER

    def add(self, facts: RecordingFacts) -> None:
        """Note a recording; replaced in one step, so that no half note is ever read.

        :raises OSError: the disk is full or broken
        """
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        path = self._path(facts.id)
        draft = path.with_suffix(".new")
        try:
            write_private(draft, facts.to_json().encode())
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def remove(self, recording: str) -> None:
        self._path(recording).unlink(missing_ok=True)

    def read(self) -> Iterator[RecordingFacts]:
        """The notes there are; one that a power cut emptied is thrown away."""
        for path in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else ():
            try:
                yield RecordingFacts.from_json(path.read_text(encoding="utf-8"))
            except ValueError:
                path.unlink(missing_ok=True)
            except FileNotFoundError:
                continue

    def _path(self, recording: str) -> Path:
        return self._folder / f"{topics.check_id(recording)}.json"


def sync_folder(folder: Path) -> None:
    """Wait until the disk holds the names in a folder.

    :raises OSError: the disk is broken
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
