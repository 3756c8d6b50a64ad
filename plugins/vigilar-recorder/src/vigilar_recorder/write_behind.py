"""The thread that puts fragments on the disk, so that a slow disk never holds up a camera.

Writing into the page cache usually takes microseconds, but the kernel makes the writer wait
while too much is unwritten: seconds on a memory card or a sleeping disk. ``fsync`` at sealing
always waits. Both happen here, together with encryption and thumbnails; the camera's loop only
appends to a queue. The thread wakes up once per fragment. What waits is bounded: beyond that the
recording fails, which is said, while the camera goes on.
"""

from __future__ import annotations

import errno
import io
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from queue import Empty, SimpleQueue

from vigilar_core.media import Packet
from vigilar_core.recording_file import Mp4RecordingWriter, RecordingError, SealedFile
from vigilar_recorder import files, thumbnail
from vigilar_recorder.facts import RecordingFacts
from vigilar_recorder.finished import Ending, Failure, Finished
from vigilar_recorder.layout import thumbnail_path
from vigilar_recorder.open_notes import OpenNotes, sync_folder
from vigilar_recorder.plan import EndedBy

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _OpenFile:
    facts: RecordingFacts
    path: Path
    key: bytes | None
    file: io.FileIO
    writer: Mp4RecordingWriter


class WriteBehind:
    """Writes the recordings of one camera, in the order of the calls.

    Its methods are called in the camera's loop and return at once.

    :param recordings_dir: root of all recordings
    :param max_pending_bytes: most data that may wait for the disk
    """

    def __init__(self, recordings_dir: Path, camera: str, max_pending_bytes: int) -> None:
        self._root = recordings_dir
        self._camera = camera
        self._max_pending_bytes = max_pending_bytes
        self.notes = OpenNotes(recordings_dir, camera)
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._finished: SimpleQueue[Finished] = SimpleQueue()
        self._open: dict[str, _OpenFile] = {}
        # Each is changed by one thread only; their difference is what waits.
        self._taken_bytes = self._done_bytes = 0
        #: Set when data arrived on the disk; cleared by whoever looks.
        self.has_written = False
        self._thread = threading.Thread(target=self._run, name=f"record-{camera}", daemon=True)
        self._thread.start()

    @property
    def is_full(self) -> bool:
        """Whether more waits for the disk than may."""
        return self._taken_bytes - self._done_bytes > self._max_pending_bytes

    def begin(self, facts: RecordingFacts, key: bytes | None) -> None:
        """Make a file; ``key`` as for :func:`vigilar_recorder.files.create`."""
        self._calls.put(partial(self._begin, facts, key))

    def write(self, recording: str, data: bytes) -> None:
        """Append an init segment or a fragment."""
        self._taken_bytes += len(data)
        self._calls.put(partial(self._write, recording, data))

    def seal(self, recording: str, ending: Ending, key_frame: Packet | None) -> None:
        """Finish a file and make its thumbnail of a key frame."""
        self._calls.put(partial(self._seal, recording, ending, key_frame))

    def fail(self, recording: str, failure: Failure) -> None:
        """Give a recording up, keeping what is already on the disk."""
        self._calls.put(partial(self._fail, recording, failure))

    def report(self, finished: Finished) -> None:
        """Add to what :meth:`finished` returns; from any thread."""
        self._finished.put(finished)

    def finished(self) -> list[Finished]:
        """The recordings that were finished since the last call."""
        found: list[Finished] = []
        while True:
            try:
                found.append(self._finished.get_nowait())
            except Empty:
                return found

    def close(self, timeout_s: float) -> bool:
        """Do all that was asked and end the thread.

        :returns: ``False`` when the disk did not manage it in time; what is open then is mended
            at the next start
        """
        self._calls.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # --------------------------------------------------------------- in the thread

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                call()
            except Exception:
                # The thread's edge: an error here must not end the recording of later events.
                log.exception("camera %s: a recording could not be written", self._camera)

    def _begin(self, facts: RecordingFacts, key: bytes | None) -> None:
        path = self._root / facts.path
        try:
            self.notes.add(facts)
            file, writer = files.create(path, key, facts)
        except OSError as error:
            self.notes.remove(facts.id)
            self._report_failure(facts, failure_of(error), None, 0.0)
        else:
            self._open[facts.id] = _OpenFile(facts, path, key, file, writer)

    def _write(self, recording: str, data: bytes) -> None:
        try:
            if (entry := self._open.get(recording)) is not None:
                entry.writer.write(data)
                self.has_written = True
        except OSError as error:
            self._fail(recording, failure_of(error))
        except RecordingError as error:
            self._fail(recording, Failure("unsupported", str(error)))
        finally:
            self._done_bytes += len(data)

    def _seal(self, recording: str, ending: Ending, key_frame: Packet | None) -> None:
        if (entry := self._open.get(recording)) is None:
            return
        try:
            sealed = entry.writer.seal()
            sync_folder(entry.path.parent)
        except OSError as error:
            self._fail(recording, failure_of(error))
            return
        del self._open[recording]
        entry.file.close()
        picture = self._make_thumbnail(entry, key_frame)
        self._finished.put(Finished(entry.facts, ending, sealed, picture))

    def _make_thumbnail(self, entry: _OpenFile, key_frame: Packet | None) -> str | None:
        if key_frame is None:
            return None
        noted = thumbnail_path(PurePosixPath(entry.facts.path))
        try:
            picture = thumbnail.make_jpeg(key_frame)
            thumbnail.store(self._root / noted, picture, entry.key, entry.facts.id)
        except (OSError, ValueError) as error:
            # A recording without a picture is still one.
            log.warning("recording %s has no thumbnail: %s", entry.facts.id, error)
            return None
        return str(noted)

    def _fail(self, recording: str, failure: Failure) -> None:
        if (entry := self._open.pop(recording, None)) is None:
            return
        entry.file.close()
        sealed, seconds, mend_later = None, 0.0, False
        try:
            sealed, seconds = files.mend(entry.path, entry.key)
        except RecordingError:
            seconds = 0.0
        except OSError as error:
            log.warning("recording %s is mended at the next start: %s", recording, error)
            mend_later = True
        if not seconds and not mend_later:
            sealed = None
            entry.path.unlink(missing_ok=True)
        self._report_failure(entry.facts, failure, sealed, seconds, mend_later=mend_later)

    def _report_failure(
        self,
        facts: RecordingFacts,
        failure: Failure,
        sealed: SealedFile | None,
        seconds: float,
        *,
        mend_later: bool = False,
    ) -> None:
        ending = Ending(EndedBy.FAILED, facts.start_time_us + round(seconds * 1e6))
        self._finished.put(Finished(facts, ending, sealed, failure=failure, mend_later=mend_later))


def failure_of(error: OSError) -> Failure:
    """The cause behind an error of the system."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return Failure("disk_full" if full else "disk", error.strerror or str(error))
