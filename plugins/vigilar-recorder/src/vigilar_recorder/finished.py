"""What became of a recording, as the writing thread tells the camera's loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from vigilar_core.recording_file import SealedFile
from vigilar_recorder.facts import RecordingFacts
from vigilar_recorder.plan import EndedBy


@dataclass(frozen=True, slots=True)
class MotionSummary:
    """The motion during a recording.

    :param starts: how many movements began
    :param confidence: the greatest, 0.0 to 1.0
    """

    starts: int = 0
    confidence: float = 0.0
    zones: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """How a recording ended.

    :param end_time_us: wall-clock time of the end of its last picture
    """

    ended_by: EndedBy
    end_time_us: int
    motion: MotionSummary = field(default_factory=MotionSummary)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a recording could not go on.

    :param cause: ``disk_full``, ``disk``, ``disk_slow``, ``no_key``, ``unsupported`` or ``lost``
    :param reason: the same in words
    """

    cause: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A recording that nothing is written into any more.

    :param file: ``None`` when there was nothing worth keeping
    :param thumbnail: its path relative to ``recordings_dir``
    :param recovered: it was open when its process died
    :param mend_later: the disk did not even take the end of the file; its note stays
    """

    facts: RecordingFacts
    ending: Ending
    file: SealedFile | None
    thumbnail: str | None = None
    failure: Failure | None = None
    recovered: bool = False
    mend_later: bool = False

    def sealed_fields(self) -> dict[str, Any]:
        """The fields of the event of a sealed recording."""
        assert self.file is not None
        end_time_us = self.ending.end_time_us
        return self.facts.fields() | {
            "end_time_us": end_time_us,
            "duration_s": round((end_time_us - self.facts.start_time_us) / 1e6, 3),
            "size_bytes": self.file.size_bytes,
            "sha256": self.file.sha256,
            "ended_by": self.ending.ended_by.value,
            "motion": asdict(self.ending.motion),
            "thumbnail": self.thumbnail,
            "recovered": self.recovered,
        }
