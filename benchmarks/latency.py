"""From movement in front of the camera to the committed event."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from benchmarks.figures import Figure
from vigilar_camera_rtsp.demo import Clip, Movement, RtspServer, cached_clips
from vigilar_camera_rtsp.demo import Figure as Shown
from vigilar_core.testing import Installation, eventually

_TRIALS = 50
_QUIET_S = 1.5

_WARM_UP_S = 15.0
#: Somebody in full view from the first picture on, for two seconds.
_STEP = Movement(Shown.PERSON, 0.0, 2.0, enter=0.35, leave=0.75)

#: Without a web server, which is not in the path that is measured.
QUIET_WEB = '[plugins]\ndisabled = ["web", "hello"]\n'
_CAMERA = """
[[cameras]]
id = "bench"
rtsp_url = "{main}"
detect_url = "{sub}"
idle_fps = 2
post_motion_buffer_s = 1
{keys}
"""


def measure(folder: Path) -> Iterator[Figure]:
    delays_s = list(_trials(folder))
    ordered = sorted(delays_s)
    detail = f"{len(ordered)} movements, idle_fps 2, sub-stream 640 × 360 at 25 fps"
    yield Figure(
        "movement → committed, median", statistics.median(ordered), "s", 0.7, detail=detail
    )
    last = ordered[math.ceil(0.99 * len(ordered)) - 1]
    yield Figure("movement → committed, 99th percentile", last, "s", 1.5)
    yield Figure("movements noticed", len(ordered), f"of {_TRIALS}", _TRIALS, most=False)


def _trials(folder: Path) -> Iterator[float]:
    with camera() as (server, text), Installation(folder, QUIET_WEB + text) as vigilar:
        vigilar.running(within_s=60)
        database = sa.create_engine(f"sqlite:///{folder}/data/vigilar.db")
        time.sleep(_WARM_UP_S)
        for number in range(_TRIALS):
            # Off the beat of the sampler, so that every phase of it is met.
            time.sleep(_QUIET_S + number * 0.61 % 1)
            before = newest(database)
            shown_us = server.pulse().wall_ns // 1000
            try:
                committed_us = eventually(
                    lambda seen=before: event_after(database, seen, "motion_start"), within_s=8
                )
            except AssertionError:
                continue
            yield (committed_us - shown_us) / 1e6
            eventually(lambda seen=before: event_after(database, seen, "motion_end"), within_s=30)


@contextmanager
def camera(keys: str = "") -> Iterator[tuple[RtspServer, str]]:
    """An RTSP camera that shows a movement when told to, and its configuration."""
    idle = cached_clips(Clip(movements=(), duration_s=20.0))
    pulse = cached_clips(Clip(movements=(_STEP,), duration_s=2.0))
    with RtspServer(idle, pulses=pulse) as server:
        urls = {"main": server.url("main"), "sub": server.url("sub")}
        yield server, _CAMERA.format(keys=keys, **urls)


def newest(database: sa.Engine) -> int:
    with database.connect() as connection:
        found = connection.execute(sa.text("SELECT max(sequence) FROM events")).scalar()
    return int(found or 0)


def event_after(database: sa.Engine, sequence: int, kind: str) -> int | None:
    """When the first event of a kind after another one was committed, µs."""
    question = sa.text(
        "SELECT committed_us FROM events WHERE sequence > :after AND kind = :kind "
        "ORDER BY sequence LIMIT 1"
    )
    with database.connect() as connection:
        found = connection.execute(question, {"after": sequence, "kind": kind}).scalar()
    return int(found) if found is not None else None
