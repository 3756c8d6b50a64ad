"""A whole Vigilar before a camera that obeys, and somebody outside who keeps count."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import sqlite3
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import psutil

from vigilar_camera_rtsp.demo import Clip, Encoding, RtspServer, cached_clips
from vigilar_core.recording_file import PlayableView, RecordingError, open_recording
from vigilar_core.testing import Installation, eventually

MAIN = Encoding("main", 640, 360, bitrate=600_000, keyframe_interval_s=1.0)
SMALL = Encoding("small", 320, 180, bitrate=200_000, keyframe_interval_s=1.0)
H265 = Encoding("h265", 640, 360, codec="hevc", bitrate=400_000, keyframe_interval_s=1.0)

WEB = """
[web]
host = "127.0.0.1"
port = {port}
tls = false
"""
CAMERA = """
[[cameras]]
id = "hall"
rtsp_url = "{url}"
rtsp_timeout_ms = 1500
rtsp_reconnect_s = 0.5
record_on_motion = false
record_continuous = true
continuous = "full"
"""


def clips() -> dict[str, Path]:
    """Eight idle seconds in every encoding of this folder."""
    return cached_clips(Clip(movements=(), duration_s=8.0, encodings=(MAIN, SMALL, H265)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class House:
    """An installation whose camera records all the time."""

    vigilar: Installation
    camera: RtspServer
    port: int = 0

    @property
    def slowness(self) -> float:
        """How many times longer things take because others use the processors too, at least 1."""
        return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))

    @property
    def database(self) -> Path:
        return self.vigilar.folder / "data" / "vigilar.db"

    def ready(self) -> None:
        """Wait until everything runs and a recording is being written, whatever was before."""
        if self.vigilar.process is None:
            self.vigilar.start()
        self.vigilar.running(within_s=60)
        self.open_recording()

    def rows(self, question: str, **values: Any) -> list[dict[str, Any]]:
        """Rows of the database as it is now, also after it was replaced."""
        return rows_of(self.database, question, **values)

    def newest(self) -> int:
        """The highest sequence number."""
        return int(self.rows("SELECT coalesce(max(sequence), 0) AS last FROM events")[0]["last"])

    def events(self, kind: str, *, after: int = 0) -> list[dict[str, Any]]:
        question = "SELECT * FROM events WHERE kind = :kind AND sequence > :after ORDER BY sequence"
        return self.rows(question, kind=kind, after=after)

    def recordings(self, camera: str = "hall") -> list[dict[str, Any]]:
        question = "SELECT * FROM recordings WHERE camera = :camera ORDER BY start_time_us"
        return self.rows(question, camera=camera)

    def open_recording(self, *, within_s: float = 20.0) -> dict[str, Any]:
        """The recording that is being written, once it holds a second of video."""

        def written() -> dict[str, Any] | None:
            found = [row for row in self.recordings() if not row["sealed"]]
            return found[-1] if found and len(self.pictures(found[-1], sealed=False)) > 25 else None

        return eventually(written, within_s=within_s, what="a recording is written") or {}

    def row(self, recording: str) -> dict[str, Any]:
        return self.rows("SELECT * FROM recordings WHERE id = :id", id=recording)[0]

    def sealed(self, recording: str, *, within_s: float = 20.0) -> dict[str, Any]:
        """The row of a recording once it is finished."""
        eventually(
            lambda: self.row(recording)["sealed"], within_s=within_s, what="the recording is sealed"
        )
        return self.row(recording)

    def get(self, path: str) -> int:
        """Status of a request to the web without signing in, 0 when there is no answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return int(error.code)
        except OSError:
            return 0

    def on_disk(self, camera: str = "hall") -> list[str]:
        """Ids of the recordings that are being written, as the recorder notes them."""
        notes = self.vigilar.folder / "recordings" / camera / ".open"
        return [path.stem for path in notes.glob("*.json")]

    def path(self, recording: dict[str, Any]) -> Path:
        return self.vigilar.folder / "recordings" / str(recording["path"])

    def pictures(self, recording: dict[str, Any], *, sealed: bool = True) -> list[float]:
        """When each picture is shown, seconds from the first; every one was decoded."""
        path = self.path(recording)
        if not path.exists():
            return []
        try:
            return decoded(path, self.vigilar.storage_key, sealed=sealed)
        except (av.FFmpegError, RecordingError, OSError, IndexError):
            if sealed:
                raise
            return []  # a file that has only just begun

    def mosquitto(self) -> int:
        """Process id of the broker itself, the child of its worker; 0 while there is none."""
        worker = self.vigilar.services().get("broker", {}).get("pid")
        try:
            children = psutil.Process(worker).children(recursive=True) if worker else []
            return next((each.pid for each in children if each.name() == "mosquitto"), 0)
        except psutil.NoSuchProcess:
            return 0

    def processes(self) -> list[psutil.Process]:
        """The supervisor and all its descendants."""
        assert self.vigilar.process is not None
        root = psutil.Process(self.vigilar.process.pid)
        return [root, *root.children(recursive=True)]


def rows_of(database: Path, question: str, **values: Any) -> list[dict[str, Any]]:
    """Rows of a SQLite file, read by nobody's client."""
    address = f"{database.as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=10)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(question, values)]


def decoded(path: Path, key: bytes, *, sealed: bool = True) -> list[float]:
    """When each picture of a recording is shown, seconds from the first one; all are decoded.

    What is read is what a player gets: whole fragments.
    """
    with PlayableView(open_recording(path, key, allow_unsealed=not sealed)) as file:
        data = file.read()
    with av.open(io.BytesIO(data)) as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    return [time - times[0] for time in times]


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def is_stopped(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process under SIGSTOP; going on afterwards if it still exists."""
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: is_stopped(pid), what="the process is stopped")
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[None]:
    """A file system of its own, in memory; needs root."""
    folder.mkdir(parents=True)
    options = f"size={size_mb}m,mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def run_house(
    folder: Path,
    configuration: str = WEB + CAMERA,
    *,
    environment: Mapping[str, str] | None = None,
) -> Iterator[House]:
    """A running house whose recording has begun.

    :param configuration: with the places ``{port}`` and ``{url}``
    :param environment: of Vigilar's processes
    """
    camera = RtspServer({"main": clips()["main"]})
    camera.start()
    port = free_port()
    text = configuration.format(port=port, url=camera.url("main"))
    house = House(Installation(folder, text, environment=environment), camera, port)
    try:
        with house.vigilar:
            house.vigilar.running(within_s=90)
            eventually(house.recordings, within_s=30, what="a recording begins")
            yield house
    finally:
        house.camera.stop()  # perhaps another one than at the start
