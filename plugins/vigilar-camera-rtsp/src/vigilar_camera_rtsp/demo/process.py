"""Starts the demonstration's RTSP server and speaks to it."""

from __future__ import annotations

import functools
import json
import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal
from urllib.parse import quote

from vigilar_camera_rtsp.demo.units import pack_units

_INTERPRETER = "/usr/bin/python3"
_PROGRAM = Path(__file__).with_name("server.py")
_START_S = 15.0
_ANSWER_S = 5.0
_PROBE = """
import gi
for name in ("Gst", "GstRtsp", "GstRtspServer"):
    gi.require_version(name, "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
needed = "appsrc h264parse h265parse rtph264pay rtph265pay rtpmp4gpay rtppcmapay".split()
raise SystemExit(not all(Gst.ElementFactory.find(name) for name in needed))
"""


class ServerError(RuntimeError):
    """The demonstration's server did not start or refused a command."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client must know. The password reaches the server on its standard input."""

    user: str
    password: str
    method: Literal["digest", "basic"] = "digest"

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r}, password='••••', method={self.method!r})"


@dataclass(frozen=True, slots=True)
class Pulse:
    """When the first access unit with movement was handed to the network, on two clocks."""

    wall_ns: int
    monotonic_ns: int


@functools.cache
def available() -> bool:
    """Whether the machine can run the server: gst-rtsp-server and its Python bindings are there."""
    if not Path(_INTERPRETER).exists():
        return False
    probe = [_INTERPRETER, "-I", "-c", _PROBE]
    try:
        done = subprocess.run(probe, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


class RtspServer:
    """A running RTSP camera; use it as a context manager.

    Parameters: `mounts` maps a path to a video file (H.264 or H.265, optional AAC or G.711);
    `pulses` maps some of these paths to files shown once when `pulse` is called, encoded with the
    same parameters; `port` 0 takes a free one; `packet_gap_us` is the pause between two RTP packets
    of a picture, which a camera's network makes: 120 at 100 Mbit/s. Raises ServerError when the
    server does not come up.
    """

    def __init__(
        self,
        mounts: Mapping[str, Path],
        *,
        pulses: Mapping[str, Path] | None = None,
        credentials: Credentials | None = None,
        transports: tuple[Literal["tcp", "udp"], ...] = ("tcp",),
        address: str = "127.0.0.1",
        port: int = 0,
        packet_gap_us: int = 0,
    ) -> None:
        self._mounts = dict(mounts)
        self._pulses = dict(pulses or {})
        self._credentials = credentials
        self._transports = transports
        self._address = address
        self._wanted_port = port
        self._packet_gap_us = packet_gap_us
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[str] | None = None
        #: The port that is listened on; 0 before the start.
        self.port = 0

    def __enter__(self) -> RtspServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The server's process id; ServerError when it is not running."""
        return self._running().pid

    @property
    def alive(self) -> bool:
        """Whether the program runs."""
        return self._process is not None and self._process.poll() is None

    def url(self, mount: str, *, credentials: Credentials | None = None) -> str:
        """The address of `mount`; with `credentials`, these are part of it."""
        login = ""
        if credentials is not None:
            login = f"{quote(credentials.user, safe='')}:{quote(credentials.password, safe='')}@"
        return f"rtsp://{login}{self._address}:{self.port}/{mount}"

    def start(self) -> None:
        """Prepare the files, start the program, wait until it listens."""
        self._scratch = tempfile.TemporaryDirectory(prefix="vigilar-demo-")
        setup = {
            "address": self._address,
            "port": self._wanted_port,
            "transports": self._transports,
            "packet_gap_us": self._packet_gap_us,
            "mounts": {name: self._reels(name) for name in self._mounts},
            "credentials": self._login(),
        }
        environment = {"PATH": "/usr/bin:/bin", "HOME": self._scratch.name, "GST_DEBUG": "0"}
        self._process = subprocess.Popen(
            [_INTERPRETER, "-I", str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        try:
            ready = self._exchange(json.dumps(setup), _START_S)
        except ServerError:
            self.stop()
            raise
        self.port = int(ready.removeprefix("ready "))

    def stop(self) -> None:
        """End the program and remove the prepared files; harmless when not running."""
        process, self._process = self._process, None
        if process is not None:
            _pipe(process.stdin).close()
            process.terminate()
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _pipe(process.stdout).close()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self._command("cut")

    def fin(self) -> None:
        """Close every connection in an orderly way and refuse new ones."""
        self._command("fin")

    def restore(self) -> None:
        """Listen again after `cut` or `fin`."""
        self._command("restore")

    def freeze(self) -> None:
        """Send nothing more while the connections stay open; the camera's clock runs on."""
        self._command("freeze")

    def thaw(self) -> None:
        """Go on after `freeze`, from the next key frame."""
        self._command("thaw")

    def pulse(self) -> Pulse:
        """Show the movement of every mount that has one; return when its first unit is sent."""
        wall, monotonic = self._command("pulse").split()
        return Pulse(int(wall), int(monotonic))

    def swap(self, mount: str, path: Path) -> None:
        """Replace what `mount` shows and drop its clients, as a camera that restarts would."""
        self._command(f"swap {mount} {self._packed(path)}")

    def splice(self, mount: str, path: Path) -> None:
        """Replace what `mount` shows while its clients stay; the codec must be the same."""
        self._command(f"splice {mount} {self._packed(path)}")

    def position(self, mount: str) -> tuple[int, int]:
        """The index of the next unit of `mount` in its file, and the wall time in ns."""
        index, wall = self._command(f"position {mount}").split()
        return int(index), int(wall)

    def clients(self) -> int:
        """How many connections are open."""
        return int(self._command("clients"))

    def _reels(self, mount: str) -> dict[str, str | None]:
        pulse = self._pulses.get(mount)
        return {
            "loop": str(self._packed(self._mounts[mount])),
            "pulse": str(self._packed(pulse)) if pulse else None,
        }

    def _packed(self, path: Path) -> Path:
        if self._scratch is None:
            raise ServerError("the RTSP server is not running")
        stat = path.stat()
        packed = Path(self._scratch.name) / f"{stat.st_dev:x}-{stat.st_ino:x}-{stat.st_mtime_ns:x}"
        if not packed.exists():
            pack_units(path, packed)
        return packed

    def _login(self) -> dict[str, str] | None:
        login = self._credentials
        if login is None:
            return None
        return {"user": login.user, "password": login.password, "method": login.method}

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise ServerError("the RTSP server is not running")
        return self._process

    def _command(self, line: str) -> str:
        answer = self._exchange(line, _ANSWER_S)
        verdict, _, rest = answer.partition(" ")
        if verdict != "ok":
            raise ServerError(f"{line.split()[0]}: {rest or answer or 'the server has ended'}")
        return rest

    def _exchange(self, line: str, within_s: float) -> str:
        process = self._running()
        try:
            _pipe(process.stdin).write(line + "\n")
            _pipe(process.stdin).flush()
        except BrokenPipeError:
            raise ServerError(f"the RTSP server has ended with code {process.poll()}") from None
        answer = _read_line(_pipe(process.stdout), within_s)
        if not answer:
            raise ServerError(f"the RTSP server gave no answer within {within_s:g} s")
        return answer


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise ServerError("the RTSP server has no pipe")
    return stream


def _read_line(stream: IO[str], within_s: float) -> str:
    """One line without its end; empty when none came in time or the other side has closed."""
    deadline = time.monotonic() + within_s
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return ""
            piece = os.read(stream.fileno(), 4096)
            if not piece:
                return ""
            line += piece
    return line.decode().rstrip("\n")
