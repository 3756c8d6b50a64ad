"""A host that remembers, a camera driven turn by turn, and an RTSP server without manners."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from vigilar_camera_rtsp.camera_loop import CameraLoop
from vigilar_camera_rtsp.demo import PULSE_MOVEMENTS, Clip, Encoding, RtspServer, available, render
from vigilar_camera_rtsp.events import EVENT_KINDS
from vigilar_camera_rtsp.reporter import Reporter
from vigilar_camera_rtsp.settings import CameraSource
from vigilar_core.clock import SystemClock
from vigilar_core.testing import FakeBus

MAIN = Encoding("main", 640, 360, bitrate=600_000, audio="aac")
SUB = Encoding("sub", 320, 180, bitrate=200_000, keyframe_interval_s=1.0)
ALAW = replace(SUB, name="alaw", audio="pcm_alaw")
HEVC = replace(SUB, name="hevc", codec="hevc")
SMALL = replace(SUB, name="small", width=256, height=144)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("rtsp") and not available():
            item.add_marker(pytest.mark.skip(reason="gst-rtsp-server is not installed"))


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Four idle seconds in every encoding, and the movement of a pulse as ``pulse``."""
    folder = tmp_path_factory.mktemp("clips")
    idle = Clip((), 4.0, encodings=(MAIN, SUB, ALAW, HEVC, SMALL))
    moving = Clip(PULSE_MOVEMENTS, 2.0, encodings=(replace(SUB, name="pulse"),))
    return {**render(idle, folder), **render(moving, folder)}


class RecordingHost:
    """A `CameraHost` that keeps what it is given."""

    id = "hall"

    def __init__(self) -> None:
        self.analysis_fps: float | None = None
        self.low_latency = self.colour = False
        self.connections: list[tuple] = []
        self.packets: list = []
        self.frames: list = []
        self.colour_frames: list = []
        self.disconnections: list[str] = []
        self.calls: list[str] = []
        self.ticks = 0

    def connected(self, streams) -> None:
        self.connections.append(tuple(streams))
        self.calls.append("connected")

    def packet(self, packet) -> None:
        self.packets.append(packet)
        self.calls.append("packet")

    def frame(self, frame) -> None:
        self.frames.append(replace(frame, pixels=frame.pixels.copy()))

    def colour_frame(self, frame) -> None:
        self.colour_frames.append(replace(frame, pixels=frame.pixels.copy()))

    def disconnected(self, reason: str) -> None:
        self.disconnections.append(reason)
        self.calls.append("disconnected")

    def tick(self) -> None:
        self.ticks += 1

    def close(self) -> None:
        self.calls.append("close")

    def video(self) -> list:
        return [packet for packet in self.packets if packet.stream.kind == "video"]


class DrivenCamera:
    """A camera's loop on the real clock, turned by the test."""

    def __init__(self, settings: CameraSource, opener=None) -> None:
        clock = SystemClock()
        self.host = RecordingHost()
        self.bus = FakeBus(EVENT_KINDS, clock=clock)
        reporter = Reporter(self.bus, "hall", "Hall", "INTERIOR")
        self.loop = CameraLoop(self.host, settings, clock, reporter, opener)

    def until(self, condition: Callable[[], object], within_s: float = 10.0) -> float:
        """Turn until `condition` holds; return the seconds it took."""
        began_s = time.monotonic()
        while not condition():
            passed_s = time.monotonic() - began_s
            assert passed_s < within_s, f"not within {within_s} s; events: {self.bus.kinds()}"
            self.loop.turn()
            time.sleep(min(0.05, self.loop.pause_s()))
        return time.monotonic() - began_s

    def until_kinds(self, *kinds: str, within_s: float = 10.0) -> float:
        """Turn until these kinds of events were published, in this order, others in between."""

        def seen() -> bool:
            rest = iter(self.bus.kinds())
            return all(kind in rest for kind in kinds)

        return self.until(seen, within_s)

    def causes(self) -> list[str]:
        return [event.data["cause"] for event in self.bus.events if "cause" in event.data]


@pytest.fixture
def drive() -> Iterator[Callable[..., DrivenCamera]]:
    cameras: list[DrivenCamera] = []

    def make(rtsp_url: str, opener=None, **keys) -> DrivenCamera:
        cameras.append(DrivenCamera(CameraSource(rtsp_url=rtsp_url, **keys), opener))
        return cameras[-1]

    yield make
    for camera in cameras:
        camera.loop.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., RtspServer]]:
    """Start real RTSP servers that are stopped after the test."""
    servers: list[RtspServer] = []

    def make(mounts: dict[str, Path], **keys) -> RtspServer:
        servers.append(RtspServer(mounts, **keys))
        servers[-1].start()
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


GOOD_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\na=control:*\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n"
    "a=control:track0\r\n"
)


class HostileServer:
    """An RTSP server on loopback whose answers and media the test makes up.

    `answers` maps a method to the bytes to send instead of the proper answer; `media` writes
    interleaved data after PLAY. Everything is bounded by the life of the test.
    """

    def __init__(self) -> None:
        self.sdp = GOOD_SDP.encode()
        self.answers: dict[str, bytes] = {}
        self.media: Callable[[socket.socket], None] = lambda _socket: None
        self.requests: list[str] = []
        #: Wraps each accepted connection; TLS, for one.
        self.wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/x"

    def stop(self) -> None:
        self._stopped.set()
        for connection in (self._listener, *self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            with suppress(OSError):
                connection, _ = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError):
            connection = self.wrap(connection)
            self._open.append(connection)
            data = b""
            while not self._stopped.is_set():
                while b"\r\n\r\n" not in data:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    data += piece
                request, _, data = data.partition(b"\r\n\r\n")
                self._answer(connection, request.decode("latin1"))

    def _answer(self, connection: socket.socket, request: str) -> None:
        method = request.split(" ", 1)[0]
        self.requests.append(request)
        if method in self.answers:
            connection.sendall(self.answers[method])
            return
        number = re.search(r"CSeq: *(\d+)", request, re.IGNORECASE)
        head = f"RTSP/1.0 200 OK\r\nCSeq: {number[1] if number else 0}\r\nSession: 1\r\n"
        body = b""
        if method == "DESCRIBE":
            body = self.sdp
            head += f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP":
            head += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        connection.sendall(head.encode() + b"\r\n" + body)
        if method == "PLAY":
            self.media(connection)


@pytest.fixture
def hostile() -> Iterator[HostileServer]:
    server = HostileServer()
    yield server
    server.stop()


def rtp(payload: bytes, *, time: int, number: int, last: bool = True) -> bytes:
    """One RTP packet in RTSP's interleaved framing (RFC 3550, RFC 2326 section 10.12)."""
    head = struct.pack(
        ">BBHII", 0x80, 96 | (0x80 if last else 0), number & 0xFFFF, time & 0xFFFFFFFF, 7
    )
    return struct.pack(">cBH", b"$", 0, len(head) + len(payload)) + head + payload


@pytest.fixture
def wire() -> SimpleNamespace:
    """Tools to speak RTP by hand."""
    return SimpleNamespace(rtp=rtp, sdp=GOOD_SDP)


@pytest.fixture
def recorder() -> RecordingHost:
    return RecordingHost()
