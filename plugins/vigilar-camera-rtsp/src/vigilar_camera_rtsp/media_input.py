"""What every kind of source looks like to the rest: tracks, and units that are read one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    import av

#: A larger access unit is an attack or a defect: 4K key frames stay below 2 MB.
LARGEST_UNIT_BYTES = 16 << 20
#: Codecs that can be decoded, recorded and watched.
VIDEO_CODECS = ("h264", "hevc")


@dataclass(frozen=True, slots=True)
class Track:
    """One elementary stream as the source describes it, before its first packet.

    Times are in ticks of `time_base` seconds. `extradata` is the decoder configuration; Annex B for
    video. Rate and channels belong to audio.
    """

    kind: Literal["video", "audio"]
    codec: str
    time_base: Fraction
    extradata: bytes = b""
    sample_rate_hz: int = 0
    channels: int = 0


class Unit(NamedTuple):
    """One access unit as it came; times in ticks of its track, None where the source gave none.

    `picture` is there where the source had it decoded already.
    """

    track: int
    data: bytes
    pts: int | None
    dts: int | None
    duration: int
    is_key: bool
    picture: av.VideoFrame | None = None


class MediaInput(Protocol):
    """An open source. Track 0 is video; there may be one of audio."""

    tracks: Sequence[Track]
    #: Whether the source hands out units at the times they are due, hence never falls behind.
    paced: bool

    def ready(self, now_s: float) -> bool:
        """Whether a read makes sense at monotonic time `now_s`; raises `SourceError` as `read`."""

    def read(self) -> Unit:
        """Return the next unit, waiting for it; raises `SourceError` when there is none."""

    def close(self) -> None:
        """Release everything; harmless when repeated."""
