"""Opens recordings: names them, finds their place, fetches the key."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from vigilar_core.bus.event_id import event_id
from vigilar_core.config.core import System
from vigilar_core.context import CameraContext
from vigilar_core.errors import NotReadyError
from vigilar_core.media import Packet, Stream
from vigilar_recorder.facts import RecordingFacts
from vigilar_recorder.finished import Failure
from vigilar_recorder.layout import relative_path
from vigilar_recorder.open_recording import OpenRecording
from vigilar_recorder.policy import Coverage, Trigger
from vigilar_recorder.settings import RecordingStorage
from vigilar_recorder.write_behind import WriteBehind


class Opener:
    """Opens the recordings of one camera."""

    def __init__(self, camera: CameraContext, writer: WriteBehind) -> None:
        self._camera = camera
        self._writer = writer
        self._encrypt = camera.section(RecordingStorage).encrypt_recordings
        self._zone = ZoneInfo(camera.section(System).timezone)
        self._last_id_us = 0

    def open(
        self,
        coverage: Coverage,
        trigger: Trigger,
        streams: Sequence[Stream],
        first: Packet,
        continues: str | None,
    ) -> OpenRecording | Failure:
        """Open a recording; without a key nothing is written in plain instead.

        :param first: the key frame it begins with
        :param continues: id of the recording before a split
        """
        if coverage is Coverage.KEY_FRAMES:
            streams = tuple(stream for stream in streams if stream.kind == "video")
        try:
            key = self._camera.storage_key() if self._encrypt else None
        except NotReadyError as error:
            return Failure("no_key", f"recordings must be encrypted, but {error}")
        facts = self._facts(coverage, trigger, first, continues)
        try:
            return OpenRecording(facts, key, streams, self._writer, trigger.moment_s)
        except ValueError as error:
            return Failure("unsupported", str(error))

    def _facts(
        self, coverage: Coverage, trigger: Trigger, first: Packet, continues: str | None
    ) -> RecordingFacts:
        # The wall clock may have been set back; ids ascend all the same.
        self._last_id_us = max(self._last_id_us + 1000, first.time_us)
        recording = event_id(self._last_id_us)
        path = relative_path(
            self._camera.id, recording, first.time_us, self._zone, encrypted=self._encrypt
        )
        pre_roll_s = max(0.0, trigger.moment_s - first.monotonic_s)
        return RecordingFacts(
            id=recording,
            camera=self._camera.id,
            path=str(path),
            start_time_us=first.time_us,
            trigger=trigger.kind,
            trigger_time_us=first.time_us + round(pre_roll_s * 1e6),
            who=trigger.who,
            pre_roll_s=round(pre_roll_s, 3),
            video_codec=first.stream.codec,
            audio_codec=None,
            width=first.stream.width,
            height=first.stream.height,
            key_frames_only=coverage is Coverage.KEY_FRAMES,
            encrypted=self._encrypt,
            continues=continues,
        )
