"""Values that flow from a camera: streams, packets, frames, motion edges."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Stream:
    """Parameters of one elementary stream of a camera.

    :param index: its number within the source: video 0, audio 1
    :param kind: what it carries
    :param codec: FFmpeg's name: ``h264``, ``hevc``, ``aac``, ``pcm_alaw`` …
    :param time_base: length of one tick of its packets' times, in seconds
    :param extradata: decoder configuration as the source gave it (Annex B, avcC, ASC …)
    :param width: pixels, video only
    :param height: pixels, video only
    :param sample_rate_hz: audio only
    :param channels: audio only
    :param generation: rises with every change of parameters; packets of two generations
        never share a recording
    """

    index: int
    kind: Literal["video", "audio"]
    codec: str
    time_base: Fraction
    extradata: bytes = b""
    width: int = 0
    height: int = 0
    sample_rate_hz: int = 0
    channels: int = 0
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Packet:
    """One compressed access unit.

    :param stream: the stream it belongs to
    :param data: the bytes as they came (H.264/H.265: Annex B or length-prefixed, as extradata says)
    :param pts: presentation time in ticks of the stream, never missing
    :param dts: decoding time in ticks, strictly rising within a generation
    :param duration: in ticks, 0 when unknown
    :param is_key: a decoder can start here
    :param time_us: wall-clock time of its presentation, anchored, free of arrival jitter
    :param monotonic_s: the same moment on the monotonic clock
    """

    stream: Stream
    data: bytes
    pts: int
    dts: int
    duration: int
    is_key: bool
    time_us: int
    monotonic_s: float


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture.

    :param camera: id of the camera
    :param sequence: rises by one with each frame handed out; gaps are frames skipped
    :param pixels: ``gray8``: height × width; ``bgr24``: height × width × 3; unsigned bytes,
        valid only during the call that hands it over: copy what is kept
    :param time_us: wall-clock time of the picture
    :param monotonic_s: the same moment on the monotonic clock
    :param is_key: decoded from a key frame
    """

    camera: str
    sequence: int
    pixels: NDArray[np.uint8]
    format: Literal["gray8", "bgr24"]
    time_us: int
    monotonic_s: float
    is_key: bool = False


class MotionKind(enum.StrEnum):
    """What changed in the picture; only ``MOTION`` starts a recording by itself."""

    MOTION = "motion"
    LIGHT_CHANGE = "light_change"
    VIEW_CHANGED = "view_changed"
    CAMERA_COVERED = "camera_covered"
    PICTURE_FROZEN = "picture_frozen"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in relative coordinates, 0.0 to 1.0, origin top left."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Motion:
    """A start or an end edge of motion, or of another change of the scene.

    :param edge: ``start`` or ``end``
    :param confidence: 0.0 to 1.0
    :param zones: names of the zones it touches
    :param boxes: where it is, relative coordinates
    """

    camera: str
    kind: MotionKind
    edge: Literal["start", "end"]
    time_us: int
    monotonic_s: float
    confidence: float = 1.0
    zones: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
