"""The camera behind ``demo:``, one for each process that asks for it."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vigilar_camera_rtsp.address import parse_address
from vigilar_camera_rtsp.demo.clip import MAIN, SUB, Clip, cached_clips
from vigilar_camera_rtsp.demo.process import RtspServer, available
from vigilar_camera_rtsp.media_input import MediaInput
from vigilar_camera_rtsp.settings import CameraSource

CLIP = Clip(encodings=(replace(MAIN, audio="aac"), SUB))

_lock = threading.Lock()
_server: RtspServer | None = None


def open_demo(stream: str, settings: CameraSource, monotonic_s: Callable[[], float]) -> MediaInput:
    """Open the stream ``main`` or ``sub``: over RTSP where that can be, else from the file."""
    from vigilar_camera_rtsp.file_input import FileInput
    from vigilar_camera_rtsp.rtsp_input import RtspInput

    with _lock:
        files = cached_clips(CLIP)
        server = _running_server(files) if available() else None
    if server is None:
        return FileInput(files[stream], settings.audio, monotonic_s)
    return RtspInput(parse_address(server.url(stream)), settings)


def _running_server(files: dict[str, Path]) -> RtspServer:
    global _server
    if _server is None or not _server.alive:
        if _server is not None:
            _server.stop()
        _server = RtspServer(files)
        _server.start()
        atexit.register(stop)
    return _server


def stop() -> None:
    """End the server if this process runs one."""
    global _server
    server, _server = _server, None
    if server is not None:
        server.stop()
