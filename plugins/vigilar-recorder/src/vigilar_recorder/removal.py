"""Deleting recordings: mark, unlink, say so; the row goes with the event.

Whatever interrupts it, the mark stays until all is done, so the next run goes on from there; a
file is never gone while its row still offers it.
"""

from __future__ import annotations

import logging
from pathlib import Path

from vigilar_core.bus import Bus
from vigilar_recorder import event_kinds
from vigilar_recorder.layout import absolute
from vigilar_recorder.register import Recording, Register

log = logging.getLogger(__name__)

#: Most recordings that one call deletes.
BATCH = 20


def unlink(recordings_dir: Path, recording: Recording) -> bool:
    """Remove file and thumbnail, and the folder of the day when it is empty.

    :returns: whether nothing of it is left
    """
    try:
        path = absolute(recordings_dir, recording.path)
        if recording.thumbnail is not None:
            absolute(recordings_dir, recording.thumbnail).unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        log.error("recording %s cannot be deleted: %s", recording.id, error)
        return False
    for folder in list(path.parents)[:3]:
        try:
            folder.rmdir()
        except OSError:
            break  # Others are still in it.
    return True


class Removal:
    """Finishes the deletion of marked recordings.

    :param register: where they are marked
    """

    def __init__(self, register: Register, bus: Bus, recordings_dir: Path) -> None:
        self._register = register
        self._bus = bus
        self._recordings_dir = recordings_dir
        # Told, and their rows not yet gone: the ledger is a moment behind.
        self._told: set[str] = set()

    def finish(self) -> int:
        """Delete up to a batch of marked recordings.

        :returns: how many were deleted
        """
        marked = self._register.marked(2 * BATCH)
        self._told &= {recording.id for recording in marked}
        waiting = [recording for recording in marked if recording.id not in self._told][:BATCH]
        return sum(self._delete(recording) for recording in waiting)

    def _delete(self, recording: Recording) -> bool:
        if not unlink(self._recordings_dir, recording):
            return False
        self._bus.publish_event(
            event_kinds.topic(recording.camera, "deleted"),
            id=recording.id,
            path=recording.path,
            start_time_us=recording.start_time_us,
            size_bytes=recording.size_bytes,
            sha256=recording.sha256,
            reason=recording.deleting_reason,
            who=recording.deleting_by,
        )
        self._told.add(recording.id)
        return True
