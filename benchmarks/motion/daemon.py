"""Runs the Motion daemon on a recorded scene, in real time, and reads off what it found."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.motion.encode import Recorded
from benchmarks.motion.evaluate import Outcome
from benchmarks.motion.scenery import HEIGHT, WIDTH
from benchmarks.motion.scenes import FPS

#: Settings held against ours. The gap between events is our hold, so that counts compare; all
#: others that are not named are the daemon's own defaults.
SETTINGS: dict[str, dict[str, str]] = {
    "Motion, default": {},
    "Motion, tuned": {
        "threshold": "400",
        "minimum_motion_frames": "2",
        "lightswitch_percent": "15",
        "lightswitch_frames": "8",
    },
    "Motion, most sensitive": {
        "threshold": "120",
        "noise_tune": "off",
        "noise_level": "16",
        "minimum_motion_frames": "2",
        "lightswitch_percent": "15",
        "lightswitch_frames": "8",
    },
}
_GAP_S = 5.0
_CONNECTED, _AT_END = "connected", "Reconnecting"


@dataclass(frozen=True, slots=True)
class _Times:
    """When the playing of the file began and ended, as read off the log."""

    began_s: float
    ended_s: float


def run_daemon(scenes: Sequence[Recorded], settings: dict[str, str], at_once: int) -> list[Outcome]:
    """Run one daemon for each scene, some at once."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda scene: _run(scene, settings), scenes))


def _run(recorded: Recorded, settings: dict[str, str]) -> Outcome:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configuration = folder / "motion.conf"
        configuration.write_text(_configuration(recorded, settings, folder))
        daemon = subprocess.Popen(
            ["motion", "-c", str(configuration)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        try:
            times = _follow(folder / "log", len(recorded.quiet) / FPS)
            cpu_s = _cpu_s(daemon.pid)
        finally:
            daemon.terminate()
            daemon.wait()
        outcome = _read(folder / "events", times, recorded)
        outcome.cpu_s = cpu_s
        return outcome


def _cpu_s(pid: int) -> float:
    """User and system time of a process so far (proc(5), fields 14 and 15 of ``stat``)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _configuration(recorded: Recorded, settings: dict[str, str], folder: Path) -> str:
    event = 'date +"{} %%s.%%N" >> ' + str(folder / "events")
    values = {
        "daemon": "off",
        "log_level": "6",
        "log_file": str(folder / "log"),
        "target_dir": str(folder),
        "netcam_url": recorded.path.resolve().as_uri(),
        "width": str(WIDTH),
        "height": str(HEIGHT),
        "framerate": str(FPS),
        "movie_output": "off",
        "picture_output": "off",
        "webcontrol_port": "0",
        "stream_port": "0",
        "event_gap": str(int(_GAP_S)),
        "on_event_start": event.format("start"),
        "on_event_end": event.format("end"),
        **settings,
    }
    return "".join(f"{key} {value}\n" for key, value in values.items())


def _follow(log: Path, length_s: float) -> _Times:
    """Watch the log for the begin and the end of the file.

    :raises TimeoutError: the daemon did not play the file to its end
    """
    deadline_s = time.monotonic() + length_s * 1.5 + 20
    began_s = 0.0
    while time.monotonic() < deadline_s:
        text = log.read_text() if log.exists() else ""
        if not began_s and _CONNECTED in text:
            began_s = time.time()
        if _AT_END in text:
            return _Times(began_s, time.time())
        time.sleep(0.1)
    raise TimeoutError(f"Motion did not reach the end of the file within {deadline_s:.0f} s")


def _read(events: Path, times: _Times, recorded: Recorded) -> Outcome:
    """Starts and activity on the time scale of the scene; the daemon may play a little faster."""
    frames = len(recorded.quiet)
    scale = frames / FPS / (times.ended_s - times.began_s)
    outcome = Outcome(active=np.zeros(frames, np.bool_), frames=frames)
    open_at: int | None = None
    for line in events.read_text().splitlines() if events.exists() else ():
        word, stamp = line.split()
        at_s = (float(stamp) - times.began_s) * scale
        if at_s > frames / FPS:
            continue
        if word == "start":
            outcome.starts_s.append(at_s)
            open_at = max(0, round(at_s * FPS))
        elif open_at is not None:
            outcome.active[open_at : max(0, round(at_s * FPS))] = True
            open_at = None
    if open_at is not None:
        outcome.active[open_at:] = True
    return outcome
