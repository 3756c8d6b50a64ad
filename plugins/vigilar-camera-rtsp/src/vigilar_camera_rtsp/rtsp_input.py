"""A camera that speaks RTSP (RFC 2326, RFC 7826), over TCP or UDP, with Digest or Basic login."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from typing import Any

import av
import av.error

from vigilar_camera_rtsp.address import Address
from vigilar_camera_rtsp.cause import Cause, SourceError, source_error
from vigilar_camera_rtsp.container import choose_streams, describe, open_container, to_unit
from vigilar_camera_rtsp.media_input import Track, Unit
from vigilar_camera_rtsp.settings import CameraSource
from vigilar_camera_rtsp.sockets import new_sockets

_PROTOCOLS = {
    ("rtsp", "tcp"): "rtsp,rtp,tcp",
    ("rtsp", "udp"): "rtsp,rtp,udp,tcp",
    ("rtsps", "tcp"): "rtsp,rtsps,rtp,tls,tcp",
}
#: Reports without pictures can lure a read into waiting; it may do so for this part of the time
#: after which a silent camera is given up.
_WAIT_PART = 0.5


class RtspInput:
    """An open RTSP session; raises SourceError from the constructor and from `read`."""

    paced = False

    def __init__(self, address: Address, settings: CameraSource) -> None:
        _resolve(address)
        scheme = address.target.partition(":")[0]
        transport = "tcp" if scheme == "rtsps" else settings.rtsp_transport
        self._silence_s = settings.read_timeout_s
        self._wait_s = settings.read_timeout_s * _WAIT_PART
        began_s = time.monotonic()
        try:
            with new_sockets(address.host, address.port) as self._readable:
                self._container = open_container(
                    address.target,
                    protocols=_PROTOCOLS[scheme, transport],
                    options=_options(settings, scheme, transport),
                    timeouts_s=(settings.open_timeout_s, self._wait_s),
                )
        except SourceError as error:
            if scheme == "rtsps" and error.cause is Cause.FAILED:
                raise SourceError(Cause.NOT_TRUSTED) from error
            if time.monotonic() - began_s < settings.open_timeout_s:
                raise
            # FFmpeg calls an answer that never came invalid.
            raise SourceError(Cause.TIMED_OUT) from error
        self._heard_s = time.monotonic()
        try:
            streams = choose_streams(self._container, settings.audio)
            self.tracks: Sequence[Track] = [describe(stream) for stream in streams]
        except SourceError:
            self.close()
            raise
        self._numbers = {stream.index: number for number, stream in enumerate(streams)}
        self._packets: Iterator[av.Packet[Any]] = iter(self._container.demux(streams))

    def ready(self, now_s: float) -> bool:
        """Whether anything has arrived; a long silence is `Cause.NO_PACKETS`."""
        if self._readable():
            return True
        if now_s - self._heard_s >= self._silence_s:
            raise SourceError(Cause.NO_PACKETS)
        return False

    def read(self) -> Unit:
        """Return the next unit; a camera that sends nothing is `Cause.NO_PACKETS`."""
        began_s = time.monotonic()
        try:
            packet = next(self._packets, None)
        except av.error.ExitError:
            raise SourceError(Cause.NO_PACKETS) from None
        except (av.error.FFmpegError, OSError) as error:
            raise source_error(error) from None
        if packet is None:
            raise SourceError(Cause.DISCONNECTED)
        self._heard_s = time.monotonic()
        if self._heard_s - began_s >= self._wait_s:
            # On its time-out FFmpeg's parser lets go of a last packet and the next read would wait
            # as long again.
            raise SourceError(Cause.NO_PACKETS)
        return to_unit(packet, self._numbers[packet.stream.index])

    def close(self) -> None:
        self._container.close()


def _resolve(address: Address) -> None:
    """Tell an unknown name from an unreachable camera, which FFmpeg reports alike."""
    try:
        socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise source_error(error) from None


def _options(settings: CameraSource, scheme: str, transport: str) -> dict[str, str]:
    fine = settings.options
    options = {
        "rtsp_transport": transport,
        # Parameters come from the session description and the first key frame: scanning the
        # stream for them would cost up to five seconds.
        "analyzeduration": "0",
        "probesize": "32",
        "allowed_media_types": "video+audio" if settings.audio else "video",
    }
    if fine.user_agent:
        options["user_agent"] = fine.user_agent
    if scheme == "rtsps":
        options["tls_verify"] = "1" if fine.tls_verify else "0"
        authorities = fine.ca_file or ssl.get_default_verify_paths().cafile
        if authorities:
            options["ca_file"] = authorities
    if transport == "udp":
        numbers = {
            "buffer_size": fine.buffer_size or None,
            "max_delay": fine.max_delay or None,
            "reorder_queue_size": fine.reorder_queue_size if fine.reorder_queue_size >= 0 else None,
        }
        options.update({key: str(value) for key, value in numbers.items() if value is not None})
    return options
