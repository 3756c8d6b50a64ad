"""Runs a detector over a recorded scene at a rate of analysis, and counts right and wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.motion.encode import Recorded
from benchmarks.motion.scenes import FPS
from vigilar_motion.detector import MotionDetector
from vigilar_motion.options import MethodName, MotionOptions

#: A start so long before or after a true interval still belongs to it.
_BEFORE_S, _AFTER_S = 0.3, 2.5
#: Motion may stay on for so long after the last movement.
_LINGER_S = 10.0
_TAMPER = ("view_changed", "camera_covered", "picture_frozen")


@dataclass(frozen=True, slots=True)
class Rate:
    """Which frames are analysed.

    :param idle_fps: while nothing moves; 0.0 takes key frames only
    :param follows: all frames while the detector asks for more, as the camera's worker does
    """

    name: str
    idle_fps: float
    follows: bool


RATES = (
    Rate("key frames", 0.0, False),
    Rate("key frames, all on motion", 0.0, True),
    Rate("2 fps", 2.0, False),
    Rate("2 fps, all on motion", 2.0, True),
    Rate("5 fps", 5.0, False),
    Rate(f"{FPS} fps", float(FPS), False),
)


@dataclass
class Outcome:
    """What a detector made of a scene.

    :param starts_s: times of the start edges
    :param active: per frame, whether motion was on
    :param kinds: changes of the scene reported, each start
    :param cpu_s: spent in the detector, or in the whole daemon
    :param frames: analysed
    """

    starts_s: list[float] = field(default_factory=list)
    active: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    kinds: list[str] = field(default_factory=list)
    cpu_s: float = 0.0
    frames: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """An outcome held against the truth.

    :param found: intervals with a start, or in which motion was still on from a right start
    :param idle_on_s: motion was on although nothing had moved for long
    :param missing_kinds: changes of the scene that were made and not reported
    :param false_alarms: changes of the view, covers, standstills reported in scenes without any
    """

    found: int
    intervals: int
    latencies_s: tuple[float, ...]
    false_starts: int
    idle_on_s: float
    quiet_s: float
    missing_kinds: tuple[str, ...]
    false_alarms: int
    cpu_s: float
    frames: int
    length_s: float


def detect(
    recorded: Recorded, method: MethodName, rate: Rate, options: MotionOptions | None = None
) -> Outcome:
    """Run one of our methods over a scene, with the default options unless told otherwise."""
    cv2.setNumThreads(1)
    detector = MotionDetector(options or MotionOptions(method=method))
    outcome = Outcome(active=np.zeros(len(recorded.quiet), np.bool_))
    next_s, wanted, active = 0.0, False, False
    for number, is_key, image in luma_frames(recorded.path):
        time_s = number / FPS
        due = is_key if rate.idle_fps == 0.0 else time_s >= next_s - 0.01
        if due or (rate.follows and wanted):
            next_s = time_s + (1.0 / rate.idle_fps if rate.idle_fps else 0.0)
            began_s = time.thread_time()
            result = detector.update(image, time_s)
            outcome.cpu_s += time.thread_time() - began_s
            outcome.frames += 1
            wanted = result.wants_faster
            if result.edge and result.edge.edge == "start":
                outcome.starts_s.append(time_s)
            outcome.kinds += [edge.kind.value for edge in result.scene if edge.edge == "start"]
            active = detector.active
        outcome.active[number] = active
    return outcome


def luma_frames(path: Path) -> Iterator[tuple[int, bool, NDArray[np.uint8]]]:
    """Number, whether it is a key frame, and luma of each frame of a file."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for number, frame in enumerate(container.decode(stream)):
            plane = frame.planes[0]
            rows = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)
            yield number, frame.key_frame, rows[: frame.height, : frame.width]


def score(recorded: Recorded, outcome: Outcome) -> Score:
    """Count intervals found, their latency, and starts where nothing moved."""
    latencies: list[float] = []
    found = 0
    for start_s, end_s in recorded.intervals:
        inside = [at for at in outcome.starts_s if start_s - _BEFORE_S <= at <= end_s + _AFTER_S]
        first, last = round(start_s * FPS), round(end_s * FPS)
        if inside:
            latencies.append(max(0.0, inside[0] - start_s))
        found += bool(inside) or _carried_on(recorded, outcome, first, last)
    false_starts = sum(not _near_motion(recorded, at) for at in outcome.starts_s)
    missing = tuple(kind for kind in recorded.scene.expected if kind not in outcome.kinds)
    alarms = sum(kind in _TAMPER and kind not in recorded.scene.expected for kind in outcome.kinds)
    return Score(
        found,
        len(recorded.intervals),
        tuple(latencies),
        false_starts,
        _idle_on(recorded, outcome),
        float(recorded.quiet.sum()) / FPS,
        missing,
        alarms,
        outcome.cpu_s,
        outcome.frames,
        len(recorded.quiet) / FPS,
    )


def _carried_on(recorded: Recorded, outcome: Outcome, first: int, last: int) -> bool:
    """Whether motion was on in these frames from a start that was right."""
    on = np.flatnonzero(outcome.active[first:last])
    earlier = [at for at in outcome.starts_s if len(on) and at * FPS <= first + on[0] + 1]
    return bool(earlier) and _near_motion(recorded, earlier[-1])


def _idle_on(recorded: Recorded, outcome: Outcome) -> float:
    """Seconds during which motion was on although nothing had moved for long."""
    moved = ~recorded.quiet
    for _ in range(round(_LINGER_S * FPS)):
        moved[1:] |= moved[:-1]
    return float((outcome.active & ~moved).sum()) / FPS


def _near_motion(recorded: Recorded, at_s: float) -> bool:
    first = max(0, round((at_s - _AFTER_S) * FPS))
    last = round((at_s + _BEFORE_S) * FPS) + 1
    return not bool(recorded.quiet[first:last].all())


def middle_and_worst(latencies_s: Sequence[float]) -> tuple[float, float]:
    """Median and maximum; not a number when there is none."""
    if not latencies_s:
        return float("nan"), float("nan")
    return median(latencies_s), max(latencies_s)
