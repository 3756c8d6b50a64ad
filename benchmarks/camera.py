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
    :param without: plugins left out
    :param most: greatest ratio to ``ffmpeg -c copy``, ``None``: no bound
    :param motion: greatest ratio to the Motion daemon at its best
    """

    name: str
    keys: str
    extra: str = ""
    without: tuple[str, ...] = ("web",)
    moving: bool = False
    most: float | None = 1.0
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
        most=None,
        motion=1 / 3,
    ),
    Case(
        "recording, encrypted, HLS written, the video part",
        'detect_url = "{sub}"\nidle_decode = "keyframes"\n'
        'record_continuous = true\ncontinuous = "full"',
        extra="[live]\nhls_always = true\n",
        without=("web", "motion"),
        most=2.0,
    ),
)
#: Cameras in one process, by ``[runtime] groups``.
_GROUPED = 4

_CAMERA = """

[[cameras]]
id = "{id}"
rtsp_url = "{main}"
pre_motion_buffer_s = 10
{keys}
"""
_PLUGINS = "[plugins]\nthird_party = false\ndisabled = {without}\n"
_GROUPS = '[runtime.groups]\nall = ["camera:*"]\n'


def measure(folder: Path) -> Iterator[Figure]:
    footage = {moving: make(folder, f"scene{moving:d}", moving=moving) for moving in (False, True)}
    for number, case in enumerate(CASES):
        place = folder / str(number)
        place.mkdir()
        yield from _measure_case(place, case, footage[case.moving])
    yield from _measure_grouped(folder / "grouped", footage[False])


def _measure_case(folder: Path, case: Case, footage: Footage) -> Iterator[Figure]:
    with RtspServer({"main": footage.main, "sub": footage.sub}) as server:
        urls = {"main": server.url("main"), "sub": server.url("sub")}
        plugins = _PLUGINS.format(without=list(case.without))
        camera = _CAMERA.format(id="bench", main=urls["main"], keys=case.keys.format(**urls))
        text = plugins + case.extra + camera
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


def _measure_grouped(folder: Path, footage: Footage) -> Iterator[Figure]:
    """The same idle camera four times in one process."""
    folder.mkdir()
    with RtspServer({"main": footage.main, "sub": footage.sub}) as server:
        keys = CASES[0].keys.format(sub=server.url("sub"))
        cameras = [
            _CAMERA.format(id=f"bench{number}", main=server.url("main"), keys=keys)
            for number in range(_GROUPED)
        ]
        text = _PLUGINS.format(without=["web"]) + _GROUPS + "".join(cameras)
        with (
            Installation(folder, text) as vigilar,
            copying(server.url("main"), folder / "copy.mp4") as copy,
        ):
            vigilar.running("camera:bench0", within_s=60)
            time.sleep(_WARM_UP_S)
            worker = vigilar.pid("camera:bench0")
            used = side_by_side({"vigilar": lambda: [worker], "copy": lambda: [copy]}, _SECONDS)
            memory = pss_mb([worker])
    name = f"idle, {_GROUPED} cameras in one process"
    ratio = used["vigilar"] / _GROUPED / used["copy"]
    yield Figure(f"{name}, each", ratio, "× ffmpeg", CASES[0].most)
    yield Figure(f"{name}, memory of each", memory / _GROUPED, "MB (PSS)", 15)


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
