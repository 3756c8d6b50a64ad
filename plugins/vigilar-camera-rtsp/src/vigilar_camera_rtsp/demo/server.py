#!/usr/bin/python3
"""An RTSP camera made of prepared files, in real time, that can be told to fail.

A program of its own for the system's interpreter, which alone has GStreamer's bindings (Debian:
``gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-{base,good,bad}``). It imports nothing
of this project. The first line on standard input is a JSON object::

    {"address": "127.0.0.1", "port": 0, "transports": ["tcp", "udp"], "packet_gap_us": 0,
     "mounts": {"main": {"loop": FILE, "pulse": FILE or null}},
     "credentials": {"user": …, "password": …, "method": "digest" or "basic"} or null}

then one command a line: ``cut`` (reset connections, refuse new ones), ``fin`` (the same with an
orderly close), ``restore``, ``freeze``, ``thaw``, ``pulse``, ``swap MOUNT FILE`` (clients are
dropped), ``splice MOUNT FILE`` (the stream changes under the clients), ``position MOUNT``,
``clients``, ``quit``. Each is answered by one line. All mounts share one clock, which runs whether
anybody watches or not; a client begins at the latest key frame. The program ends with its parent.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gi

for _name in ("Gst", "GstRtsp", "GstRtspServer"):
    gi.require_version(_name, "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - versions come first

_UNIT_HEADER = struct.Struct(">BBqqI")
_VIDEO, _AUDIO = 0, 1
_QUEUE_BYTES = 8_000_000
_ROLE = "viewer"
_COMMANDS = (
    *("cut", "fin", "restore", "freeze", "thaw", "pulse"),
    *("swap", "splice", "position", "clients", "quit"),
)


@dataclass(frozen=True)
class Unit:
    """One access unit or audio frame; times in ns from the start of its reel."""

    track: int
    is_key: bool
    pts: int
    dts: int
    data: bytes


class Reel:
    """A prepared file in memory."""

    def __init__(self, path: str) -> None:
        with Path(path).open("rb") as file:
            head = json.loads(file.readline())
            body = file.read()
        self.duration: int = head["duration_ns"]
        self.video: dict[str, Any] = head["video"]
        self.audio: dict[str, Any] | None = head["audio"]
        self.units = list(self._parse(body))

    @staticmethod
    def _parse(body: bytes) -> Any:
        at = 0
        while at < len(body):
            track, is_key, pts, dts, size = _UNIT_HEADER.unpack_from(body, at)
            at += _UNIT_HEADER.size
            yield Unit(track, bool(is_key), pts, dts, body[at : at + size])
            at += size


class Playhead:
    """The connection between a mount and one client's pipeline."""

    def __init__(self, mount: Mount, media: Any) -> None:
        element = media.get_element()
        self._sources = [element.get_by_name(name) for name in ("video", "audio")]
        self._origin: int | None = None
        self._waits_for_key = True
        media.connect("unprepared", lambda _media: mount.drop(self))

    def push(self, unit: Unit, reel_start: int) -> None:
        source = self._sources[unit.track]
        if source is None:
            return
        if unit.track == _VIDEO and unit.is_key:
            self._waits_for_key = False
        if self._waits_for_key:
            return
        if self._origin is None:
            self._origin = reel_start + unit.dts
        buffer = Gst.Buffer.new_wrapped(unit.data)
        buffer.pts = max(0, reel_start + unit.pts - self._origin)
        buffer.dts = max(0, reel_start + unit.dts - self._origin)
        source.emit("push-buffer", buffer)

    def skip_to_key(self) -> None:
        self._waits_for_key = True


class Mount:
    """One path of the server: a reel in a loop, the place in it, and who is listening."""

    def __init__(self, name: str, loop: Reel, pulse: Reel | None, now: int) -> None:
        self.name = name
        self.loop = loop
        self.pulse_reel = pulse
        self.playheads: list[Playhead] = []
        self._reel, self._start, self._index = loop, now, 0
        self._since_key: list[tuple[Unit, int]] = []

    def due(self) -> int:
        return self._start + self._reel.units[self._index].dts

    def advance(self, frozen: bool) -> None:
        unit, start = self._reel.units[self._index], self._start
        if unit.track == _VIDEO and unit.is_key:
            self._since_key.clear()
        self._since_key.append((unit, start))
        for playhead in self.playheads:
            if frozen:
                playhead.skip_to_key()
            else:
                playhead.push(unit, start)
        self._index += 1
        if self._index == len(self._reel.units):
            self._begin(self.loop, self._start + self._reel.duration)

    def _begin(self, reel: Reel, start: int) -> None:
        self._reel, self._start, self._index = reel, start, 0

    def pulse(self) -> None:
        if self.pulse_reel is not None:
            self._begin(self.pulse_reel, self.due())

    def splice(self, reel: Reel) -> None:
        self.loop = reel
        self._begin(reel, self.due())

    def join(self, playhead: Playhead) -> None:
        for unit, start in self._since_key:
            playhead.push(unit, start)
        self.playheads.append(playhead)

    def drop(self, playhead: Playhead) -> None:
        if playhead in self.playheads:
            self.playheads.remove(playhead)

    def position(self) -> int:
        return self._index


class Clock(threading.Thread):
    """Sends each unit of each mount when it is due."""

    def __init__(self, mounts: dict[str, Mount]) -> None:
        super().__init__(daemon=True)
        self.lock = threading.Condition()
        self.mounts = mounts
        self.frozen = False

    def run(self) -> None:
        with self.lock:
            while True:
                now = time.monotonic_ns()
                for mount in self.mounts.values():
                    while mount.due() <= now:
                        mount.advance(self.frozen)
                next_due = min(mount.due() for mount in self.mounts.values())
                self.lock.wait(max(0.0005, (next_due - time.monotonic_ns()) / 1e9))


class Factory(GstRtspServer.RTSPMediaFactory):
    """Builds the pipeline of one client."""

    def __init__(self, mount: Mount, clock: Clock, udp: bool, packet_gap_us: int) -> None:
        super().__init__()
        self._mount, self._clock = mount, clock
        self.set_launch(_pipeline(mount.loop, packet_gap_us))
        self.set_shared(False)
        transports = GstRtsp.RTSPLowerTrans.TCP
        self.set_protocols(transports | GstRtsp.RTSPLowerTrans.UDP if udp else transports)
        self.connect("media-configure", self._configure)

    def _configure(self, _factory: Any, media: Any) -> None:
        media.get_element().get_parent().connect("deep-element-added", _send_at_once)
        with self._clock.lock:
            self._mount.join(Playhead(self._mount, media))


def _send_at_once(_pipeline: Any, _bin: Any, element: Any) -> None:
    """Leave the pacing to the clock of this program, also where a client begins in the past."""
    if element.find_property("sync"):
        element.connect("notify::sync", lambda sink, _name: _unpace(sink))


def _unpace(sink: Any) -> None:
    if sink.get_property("sync"):
        sink.set_property("sync", False)


def _pipeline(reel: Reel, packet_gap_us: int) -> str:
    source = f"is-live=true format=time max-bytes={_QUEUE_BYTES} leaky-type=downstream"
    codec = {"h264": "h264", "hevc": "h265"}[reel.video["codec"]]
    parts = [
        f'appsrc name=video {source} caps="video/x-{codec},stream-format=byte-stream,alignment=au"',
        f"! {codec}parse ! rtp{codec}pay pt=96 config-interval=-1 mtu=1400",
        f"! identity name=pay0 sleep-time={packet_gap_us}" if packet_gap_us else "name=pay0",
    ]
    if reel.audio:
        caps, payloader = _audio_caps(reel.audio)
        parts.append(f'appsrc name=audio {source} caps="{caps}" ! {payloader} name=pay1 pt=97')
    return "( " + " ".join(parts) + " )"


def _audio_caps(audio: dict[str, Any]) -> tuple[str, str]:
    shape = f"rate={audio['rate']},channels={audio['channels']}"
    if audio["codec"] == "aac":
        kind = "audio/mpeg,mpegversion=4,stream-format=raw,framed=true"
        return f"{kind},codec_data=(buffer){audio['extradata']},{shape}", "rtpmp4gpay"
    return {"pcm_alaw": f"audio/x-alaw,{shape}", "pcm_mulaw": f"audio/x-mulaw,{shape}"}[
        audio["codec"]
    ], {"pcm_alaw": "rtppcmapay", "pcm_mulaw": "rtppcmupay"}[audio["codec"]]


class Server:
    """The listening socket, the clients and the commands."""

    def __init__(self, setup: dict[str, Any]) -> None:
        now = time.monotonic_ns()
        self._reels: dict[str, Reel] = {}
        mounts = {
            name: Mount(name, self._reel(files["loop"]), self._pulse_reel(files), now)
            for name, files in setup["mounts"].items()
        }
        self._clock = Clock(mounts)
        self._clients: dict[Any, set[str]] = {}
        self._credentials = setup.get("credentials")
        self._packet_gap_us = int(setup.get("packet_gap_us", 0))
        self._udp = "udp" in setup.get("transports", ["tcp"])
        self._server = GstRtspServer.RTSPServer.new()
        self._server.set_address(setup.get("address", "127.0.0.1"))
        self._server.set_service(str(setup.get("port", 0)))
        self._server.connect("client-connected", self._meet)
        if self._credentials:
            self._server.set_auth(_authority(self._credentials))
        for mount in mounts.values():
            self._publish(mount)
        self._listener = self._server.attach(None)
        if not self._listener:
            raise SystemExit("the RTSP port cannot be bound")
        self.port: int = self._server.get_bound_port()
        self._server.set_service(str(self.port))
        self._clock.start()
        GLib.timeout_add_seconds(2, self._expire)
        self.main_loop = GLib.MainLoop()

    def run(self) -> None:
        threading.Thread(target=self._read_commands, daemon=True).start()
        _say(f"ready {self.port}")
        self.main_loop.run()

    def cut(self) -> str:
        self._refuse(abort=True)
        return "ok"

    def fin(self) -> str:
        self._refuse(abort=False)
        return "ok"

    def restore(self) -> str:
        if not self._listener:
            self._listener = self._server.attach(None)
        return "ok" if self._listener else "error the port is taken"

    def freeze(self) -> str:
        with self._clock.lock:
            self._clock.frozen = True
        return "ok"

    def thaw(self) -> str:
        with self._clock.lock:
            self._clock.frozen = False
        return "ok"

    def pulse(self) -> str:
        """Answer the wall and monotonic time in ns of the first access unit that shows movement."""
        with self._clock.lock:
            first = min(mount.due() for mount in self._clock.mounts.values())
            for mount in self._clock.mounts.values():
                mount.pulse()
        delay = first - time.monotonic_ns()
        return f"ok {time.time_ns() + delay} {first}"

    def swap(self, name: str, path: str) -> str:
        with self._clock.lock:
            mount = Mount(name, self._reel(path), None, time.monotonic_ns())
            self._clock.mounts[name] = mount
        self._server.get_mount_points().remove_factory("/" + name)
        self._publish(mount)
        self._dismiss(lambda paths: "/" + name in paths, abort=False)
        return "ok"

    def splice(self, name: str, path: str) -> str:
        with self._clock.lock:
            self._clock.mounts[name].splice(self._reel(path))
        return "ok"

    def position(self, name: str) -> str:
        """Answer the index of the next unit of the reel and the wall time in ns."""
        with self._clock.lock:
            return f"ok {self._clock.mounts[name].position()} {time.time_ns()}"

    def clients(self) -> str:
        return f"ok {len(self._clients)}"

    def quit(self) -> str:
        self.main_loop.quit()
        return "ok"

    def _reel(self, path: str) -> Reel:
        if path not in self._reels:
            self._reels[path] = Reel(path)
        return self._reels[path]

    def _pulse_reel(self, files: dict[str, str | None]) -> Reel | None:
        path = files.get("pulse")
        return self._reel(path) if path else None

    def _publish(self, mount: Mount) -> None:
        factory = Factory(mount, self._clock, self._udp, self._packet_gap_us)
        if self._credentials:
            text = ", ".join(
                [_ROLE]
                + [f"media.factory.{right}=(boolean)true" for right in ("access", "construct")]
            )
            factory.add_role_from_structure(Gst.Structure.from_string(text)[0])
        self._server.get_mount_points().add_factory("/" + mount.name, factory)

    def _meet(self, _server: Any, client: Any) -> None:
        self._clients[client] = set()
        client.connect("closed", lambda gone: self._clients.pop(gone, None))
        client.connect(
            "describe-request",
            lambda known, context: self._clients.get(known, set()).add(context.uri.abspath),
        )

    def _refuse(self, abort: bool) -> None:
        if self._listener:
            GLib.source_remove(self._listener)
            self._listener = 0
        self._dismiss(lambda _paths: True, abort)

    def _dismiss(self, chosen: Callable[[set[str]], bool], abort: bool) -> None:
        for client, paths in list(self._clients.items()):
            if chosen(paths):
                if abort:
                    _reset_on_close(client)
                client.close()
                self._clients.pop(client, None)

    def _expire(self) -> bool:
        self._server.get_session_pool().cleanup()
        return True

    def _read_commands(self) -> None:
        for line in sys.stdin:
            GLib.idle_add(self._obey, line.split())
        GLib.idle_add(self.main_loop.quit)

    def _obey(self, words: list[str]) -> bool:
        try:
            if not words or words[0] not in _COMMANDS:
                raise ValueError(f"unknown command, one of: {' '.join(_COMMANDS)}")
            answer = getattr(self, words[0])(*words[1:])
        except (OSError, KeyError, TypeError, ValueError) as error:
            answer = f"error {error!r}"
        _say(answer)
        return False


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _authority(credentials: dict[str, str]) -> Any:
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", _ROLE)
    user, password = credentials["user"], credentials["password"]
    if credentials.get("method", "digest") == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    return auth


def _reset_on_close(client: Any) -> None:
    """Make the close a TCP reset: linger for no time at all."""
    descriptor = client.get_connection().get_read_socket().get_fd()
    with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as copy:
        copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def main() -> None:
    """Read the set-up from standard input and serve until told to quit or orphaned.

    The end of standard input tells that the parent is gone. The kernel's own signal for that would
    come as soon as the thread ends that started this program.
    """
    Gst.init(None)
    Server(json.loads(sys.stdin.readline())).run()


if __name__ == "__main__":
    main()
