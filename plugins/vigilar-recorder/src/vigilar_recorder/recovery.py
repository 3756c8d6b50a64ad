"""Finishes what a crash left open."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from vigilar_core.recording_file import PlayableView, RecordingError, RecordingInUse
from vigilar_recorder import files, thumbnail
from vigilar_recorder.facts import RecordingFacts
from vigilar_recorder.finished import Ending, Failure, Finished
from vigilar_recorder.layout import absolute, thumbnail_path
from vigilar_recorder.plan import EndedBy

log = logging.getLogger(__name__)


def recover(
    recordings_dir: Path,
    notes: Iterable[RecordingFacts],
    key: bytes | None,
    report: Callable[[Finished], None],
) -> None:
    """Seal each noted recording and report it; one whose disk or key is missing waits.

    :param notes: of recordings that nobody in this process writes
    :param report: called once for each recording that is finished with
    """
    for facts in notes:
        try:
            finished = _finish(recordings_dir, facts, key)
        except RecordingInUse:
            continue
        except (OSError, ValueError) as error:
            log.warning("recording %s stays open: %s", facts.id, error)
            continue
        if finished is not None:
            report(finished)


def _finish(root: Path, facts: RecordingFacts, key: bytes | None) -> Finished | None:
    if facts.encrypted and key is None:
        return None
    path = absolute(root, facts.path)
    try:
        sealed, seconds = files.mend(path, key)
    except FileNotFoundError:
        return _lost(facts, "it ended before anything was on the disk")
    except RecordingInUse:
        raise
    except RecordingError as error:
        return _lost(facts, str(error))
    if not seconds:
        path.unlink(missing_ok=True)
        return _lost(facts, "it ended before its first picture was on the disk")
    ending = Ending(EndedBy.CRASH, facts.start_time_us + round(seconds * 1e6))
    return Finished(facts, ending, sealed, _thumbnail(root, facts, key), recovered=True)


def _thumbnail(root: Path, facts: RecordingFacts, key: bytes | None) -> str | None:
    noted = str(thumbnail_path(PurePosixPath(facts.path)))
    key = key if facts.encrypted else None
    try:
        plain = files.open_file(absolute(root, facts.path), key, sealed=True)
        with PlayableView(plain) as view:
            picture = thumbnail.jpeg_of_recording(view, facts.pre_roll_s)
        thumbnail.store(absolute(root, noted), picture, key, facts.id)
    except (OSError, ValueError, RecordingError) as error:
        log.warning("recording %s has no thumbnail: %s", facts.id, error)
        return None
    return noted


def _lost(facts: RecordingFacts, reason: str) -> Finished:
    ending = Ending(EndedBy.CRASH, facts.start_time_us)
    return Finished(facts, ending, None, failure=Failure("lost", reason), recovered=True)
