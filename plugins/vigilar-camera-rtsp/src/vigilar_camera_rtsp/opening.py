"""Opens a source beside the camera's loop, so that a camera that does not answer stops nothing.

Connecting can take seconds. It is the one thing that happens outside the loop's thread; what it
returns is handed over and from then on used by the loop alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from vigilar_camera_rtsp.address import Address
from vigilar_camera_rtsp.cause import Cause, SourceError, source_error
from vigilar_camera_rtsp.media_input import MediaInput
from vigilar_camera_rtsp.settings import CameraSource


class Opening:
    """One attempt to open a source.

    Parameters: `open_input` runs in a thread of its own and may raise anything.
    """

    def __init__(self, open_input: Callable[[], MediaInput]) -> None:
        self._open_input = open_input
        self._lock = threading.Lock()
        self._input: MediaInput | None = None
        self._error: SourceError | None = None
        self._abandoned = False
        # A daemon: a connection attempt that hangs must not keep a stopped service alive.
        threading.Thread(target=self._run, name="open-source", daemon=True).start()

    def result(self) -> MediaInput | None:
        """The open source, None while it is not decided; raises SourceError when it failed."""
        with self._lock:
            if self._error is not None:
                raise self._error
            return self._input

    def abandon(self) -> None:
        """Close the source now, or as soon as it is open."""
        with self._lock:
            self._abandoned = True
            opened, self._input = self._input, None
        if opened is not None:
            opened.close()

    def _run(self) -> None:
        opened, failed = None, None
        try:
            opened = self._open_input()
        # Whatever goes wrong here belongs to the loop that waits for the result.
        except Exception as error:  # noqa: BLE001
            failed = source_error(error)
        with self._lock:
            self._error = failed
            if not self._abandoned:
                self._input, opened = opened, None
        if opened is not None:
            opened.close()


def open_source(
    address: Address, settings: CameraSource, monotonic_s: Callable[[], float]
) -> MediaInput:
    """Open what `address` names; raises SourceError."""
    if address.kind == "file":
        from vigilar_camera_rtsp.file_input import FileInput

        return FileInput(Path(address.target), settings.audio, monotonic_s)
    if address.kind == "device":
        from vigilar_camera_rtsp.device_input import DeviceInput

        return DeviceInput(address.target, settings)
    if address.kind == "demo":
        from vigilar_camera_rtsp.demo.camera import open_demo

        return open_demo(address.target, settings, monotonic_s)
    if address.kind == "rtsp":
        from vigilar_camera_rtsp.rtsp_input import RtspInput

        return RtspInput(address, settings)
    raise SourceError(Cause.FAILED, f"unknown kind of source {address.kind}")
