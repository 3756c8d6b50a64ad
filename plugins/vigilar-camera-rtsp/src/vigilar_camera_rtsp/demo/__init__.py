"""A camera that the project makes itself: a generated clip, served over RTSP in real time.

The demonstration, the tests and the benchmarks all use it. Nothing here is loaded in production
except by a camera whose source is ``demo:``.
"""

from __future__ import annotations

from vigilar_camera_rtsp.demo.clip import (
    DEMO_MOVEMENTS,
    PULSE_MOVEMENTS,
    Clip,
    Encoding,
    cached_clips,
    render,
)
from vigilar_camera_rtsp.demo.frame_code import read_frame_number
from vigilar_camera_rtsp.demo.process import Credentials, Pulse, RtspServer, ServerError, available
from vigilar_camera_rtsp.demo.scene import Figure, Movement

__all__ = [
    "DEMO_MOVEMENTS",
    "PULSE_MOVEMENTS",
    "Clip",
    "Credentials",
    "Encoding",
    "Figure",
    "Movement",
    "Pulse",
    "RtspServer",
    "ServerError",
    "available",
    "cached_clips",
    "read_frame_number",
    "render",
]
