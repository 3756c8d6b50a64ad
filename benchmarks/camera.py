"""What one camera costs, next to a simultaneous ``ffmpeg -c copy`` of the same stream."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import motion_daemon
from benchmarks.figures import Figure
from benchmarks.footage import Footage, make
from benchmarks.processes import pss_mb, side_by_side, tree
from vigilar_camera_rtsp.demo import RtspServer
from vigilar_core.testing import Installation

#: Stretch of real time over which processor time is counted, after warming up.
_SECONDS = 40.0
_WARM_UP_S = 25.0


@dataclass(frozen=True, slots=True)
class Case:
    """A way of use and its targets.

    :param keys: keys of the camera
    :param extra: further sections
    :param most: greatest ratio to ``ffmpeg -c copy``
    :param motion: greatest ratio to the Motion daemon at its best
    """

    name: str
    keys: str
    extra: str = ""
    moving: bool = False
    most: float = 1.0
    motion: float | None = None
    motion_on_main: bool = False


CASES = (
    Case(
        "idle, with a sub-stream, key frames looked at",
        'detect_url = "{sub}"\nidle_decode = "keyframes"',
        most=1.0,
        motion=1 / 5,
    ),
    Case("idle, main stream alone", "", most=3.0, motion=1 / 8, motion_on_main=True),
    Case("idle, analysed at 5 fps", 'detect_url = "{sub}"\nidle_fps = 5', most=5.0),
    Case(
        "recording, encrypted, HLS written, motion followed",
        'detect_url = "{sub}"\nmotion_fps = 5',
        extra="[live]\nhls_always = true\n",
        moving=True,
        most=2.0,
        motion=1 / 3,
    ),
)

_CAMERA = """
[plugins]
disabled = ["web"]

{extra}
[[cameras]]
id = "bench"
rtsp_url = "{main}"
{keys}
"""


def measure(folder: Path) -> Iterator[Figure]:
    footage = {moving: make(folder, f"scene{moving:d}", moving=moving) for moving in (False, True)}
    for number, case in enumerate(CASES):
        place = folder / str(number)
        place.mkdir()
        yield from _measure_case(place, case, footage[case.moving])


def _measure_case(folder: Path, case: Case, footage: Footage) -> Iterator[Figure]:
    with RtspServer({"main": footage.main, "sub": footage.sub}) as server:
        urls = {"main": server.url("main"), "sub": server.url("sub")}
        keys = case.keys.format(**urls)
        text = _CAMERA.format(extra=case.extra, keys=keys, **urls)
        with (
            Installation(folder, text) as vigilar,
            copying(urls["main"], folder / "copy.mp4") as copy,
            motion_daemon.running(
                folder / "motion", urls["main"], None if case.motion_on_main else urls["sub"]
            ) as daemon,
        ):
            vigilar.running("camera:bench", within_s=60)
            time.sleep(_WARM_UP_S)
            worker = vigilar.pid("camera:bench")
            used = side_by_side(
                {
                    "vigilar": lambda: [worker],
                    "copy": lambda: [copy],
                    "motion": lambda: tree(daemon),
                },
                _SECONDS,
            )
            memory = pss_mb([worker])
    detail = f"{_SECONDS:.0f} s; ffmpeg {used['copy'] / _SECONDS:.2%} of a core"
    yield Figure(case.name, used["vigilar"] / used["copy"], "× ffmpeg", case.most, detail=detail)
    if case.motion is not None:
        ratio = used["vigilar"] / used["motion"]
        yield Figure(f"{case.name}, against Motion", ratio, "× Motion", case.motion)
    yield Figure(f"{case.name}, memory", memory, "MB (PSS)", 30)


@contextmanager
def copying(url: str, target: Path) -> Iterator[int]:
    """``ffmpeg -c copy`` of a stream to fragmented MP4; gives its process id."""
    command = ["ffmpeg", "-v", "error", "-y", "-rtsp_transport", "tcp", "-i", url, "-c", "copy"]
    flags = ["-f", "mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof", str(target)]
    process = subprocess.Popen([*command, *flags], stdin=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()
