"""The keys of ``[[cameras]]`` that belong to the source."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from vigilar_camera_rtsp.address import Address, parse_address
from vigilar_core.config import SecretUrl, SettingsModel


def _checked(value: SecretUrl) -> SecretUrl:
    parse_address(value.reveal())
    return value


def _checked_or_empty(value: SecretUrl) -> SecretUrl:
    return _checked(value) if value else value


Side = Annotated[int, Field(ge=64, le=7680)]
Resolution = tuple[Side, Side]


class SourceOptions(SettingsModel):
    """Fine adjustment of FFmpeg and of capture devices; the only options that reach either.

    The names are FFmpeg's own where it has one (its RTSP and video4linux2 documentation).
    """

    buffer_size: int = Field(
        0, ge=0, le=16_777_216, description="UDP receive buffer in bytes, 0: the system's own"
    )
    max_delay: int = Field(
        0, ge=0, le=5_000_000, description="Longest wait for a late UDP packet in µs, 0: FFmpeg's"
    )
    reorder_queue_size: int = Field(
        -1, ge=-1, le=4096, description="UDP packets kept to sort them, -1: FFmpeg's own"
    )
    user_agent: str = Field(
        "", pattern=r"^[A-Za-z0-9 ._/()-]{0,80}$", description="What RTSP requests call themselves"
    )
    tls_verify: bool = Field(True, description="Whether an rtsps camera's certificate is checked")
    ca_file: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9 ._/-]*)?$",
        description="PEM file that vouches for an rtsps camera, empty: the system's authorities",
    )
    input_format: Literal["", "yuyv422", "mjpeg", "nv12", "yuv420p"] = Field(
        "", description="Pixel format asked of a USB camera, empty: its own choice"
    )
    framerate: int = Field(
        0, ge=0, le=120, description="Pictures a second asked of a USB camera, 0: its own choice"
    )
    bitrate_kbps: int = Field(
        4000, ge=100, le=50_000, description="Ceiling for encoding a USB camera's picture"
    )


class CameraSource(SettingsModel):
    """Where a camera's picture comes from and how often it is looked at."""

    rtsp_url: Annotated[SecretUrl, AfterValidator(_checked)] = Field(
        description="rtsp:// or rtsps:// URL, /dev/videoN or its number, file:/path, or demo:"
    )
    detect_url: Annotated[SecretUrl, AfterValidator(_checked_or_empty)] = Field(
        SecretUrl(""),
        description="The camera's smaller second stream, looked at for motion; empty: the first",
    )
    rtsp_transport: Literal["tcp", "udp"] = Field("tcp", description="How RTP packets travel")
    rtsp_timeout_ms: int = Field(
        4000, ge=500, le=20_000, description="A camera silent for this long is stalled"
    )
    rtsp_reconnect_s: float = Field(
        1.0, gt=0, le=60, description="First pause before a lost camera is tried again"
    )
    audio: bool = Field(True, description="Whether the camera's sound is taken")
    idle_fps: int = Field(2, ge=1, le=30, description="Pictures a second looked at while idle")
    motion_fps: int = Field(30, ge=1, le=60, description="At most that many during motion")
    idle_decode: Literal["auto", "keyframes"] = Field(
        "auto",
        description="auto: idle_fps is kept on small streams, key frames alone on large ones; "
        "keyframes: key frames alone, the cheapest",
    )
    resolution_capture: Resolution = Field(
        (1920, 1080), description="Width and height asked of a USB camera"
    )
    resolution_motion: Resolution = Field(
        (640, 360), description="Width and height of the pictures looked at for motion"
    )
    options: SourceOptions = Field(
        SourceOptions.model_validate({}), description="Fine adjustment of the connection or device"
    )

    @property
    def main_address(self) -> Address:
        """Where the stream is that is recorded and watched."""
        return parse_address(self.rtsp_url.reveal())

    @property
    def detect_address(self) -> Address | None:
        """Where the stream is that is looked at for motion; None: the main one."""
        if self.detect_url:
            return parse_address(self.detect_url.reveal())
        return parse_address("demo:sub") if self.main_address.label == "demo:main" else None

    @property
    def read_timeout_s(self) -> float:
        """How long a read may wait."""
        return self.rtsp_timeout_ms / 1000

    @property
    def open_timeout_s(self) -> float:
        """How long connecting may take, a quarter more than a read."""
        return self.read_timeout_s * 1.25
