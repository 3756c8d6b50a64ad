"""What is known of a recording while it is open; the same words as in events and rows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RecordingFacts:
    """A recording as it begins.

    :param id: unique, ascending with time
    :param path: relative to ``recordings_dir``, with ``/``
    :param start_time_us: wall-clock time of its first picture, microseconds since 1970 UTC
    :param trigger: ``motion``, ``manual`` or ``continuous``
    :param trigger_time_us: when the trigger came
    :param who: who asked for it, when somebody did
    :param pre_roll_s: seconds recorded from before the trigger
    :param continues: id of the recording that it goes on from
    """

    id: str
    camera: str
    path: str
    start_time_us: int
    trigger: str
    trigger_time_us: int
    who: str
    pre_roll_s: float
    video_codec: str
    audio_codec: str | None
    width: int
    height: int
    key_frames_only: bool
    encrypted: bool
    continues: str | None = None

    def fields(self) -> dict[str, Any]:
        """The fields of an event; the camera stands in its topic."""
        fields = asdict(self)
        del fields["camera"]
        return fields

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> RecordingFacts:
        """The facts of a note.

        :raises ValueError: the text is not such a note
        """
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(f"not a note of an open recording: {error}") from error
