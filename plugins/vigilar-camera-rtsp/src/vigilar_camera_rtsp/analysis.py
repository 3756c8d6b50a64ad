"""Hands pictures to the analysers and viewers of a camera, at the rates they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from vigilar_camera_rtsp.pace import Pace
from vigilar_camera_rtsp.picture import colour, luma
from vigilar_camera_rtsp.sampler import CHEAP_PIXELS, Sample, Sampler
from vigilar_camera_rtsp.settings import CameraSource
from vigilar_core.context import CameraHost
from vigilar_core.media import Frame, Packet

if TYPE_CHECKING:
    import av

#: Pictures a second for somebody who looks at single pictures in colour.
COLOUR_FPS = 8.0
_WIDEST_COLOUR = 1280
#: The sampler has its own pace; a picture that it gives a little early is not refused here.
_EARLY_PART = 0.25


class Analysis:
    """Everything between a packet of the stream that is looked at and `host.frame`."""

    def __init__(self, host: CameraHost, settings: CameraSource) -> None:
        self._host = host
        self._settings = settings
        self._sampler = Sampler()
        self._sequence = 0
        #: Whether key frames alone are looked at now.
        self.keys_only = False
        self._luma_pace, self._colour_pace = Pace(), Pace()

    @property
    def decoded_count(self) -> int:
        """Packets decoded so far."""
        return self._sampler.decoded_count

    @property
    def busy(self) -> bool:
        """Whether an analyser has asked for more than the idle rate."""
        asked = self._host.analysis_fps
        return asked is not None and asked > self._settings.idle_fps

    def switch(self) -> None:
        """Expect packets of another stream."""
        self._sampler.reset()
        self._luma_pace.reset()
        self._colour_pace.reset()

    def packet(self, packet: Packet, picture: av.VideoFrame | None) -> None:
        """Look at a packet of video if its picture is due; `picture` if decoded already."""
        wanted = self._wanted_fps()
        fps = max(wanted, COLOUR_FPS) if self._host.colour else wanted
        if picture is not None:
            self._hand_over(
                Sample(picture, packet.time_us, packet.monotonic_s, packet.is_key), wanted
            )
            return
        self.keys_only = self._looks_at_keys_only(packet)
        for sample in self._sampler.feed(packet, fps, self.keys_only):
            self._hand_over(sample, wanted)

    def _wanted_fps(self) -> float:
        asked = self._host.analysis_fps
        idle, most = float(self._settings.idle_fps), float(self._settings.motion_fps)
        return idle if asked is None else max(0.1, min(asked, most))

    def _looks_at_keys_only(self, packet: Packet) -> bool:
        if self.busy or self._host.colour:
            return False
        if self._settings.idle_decode == "keyframes":
            return True
        return packet.stream.width * packet.stream.height > CHEAP_PIXELS

    def _hand_over(self, sample: Sample, fps: float) -> None:
        if self._luma_pace.take(sample.monotonic_s, fps, _EARLY_PART / fps):
            pixels = luma(sample.picture, self._settings.resolution_motion)
            self._host.frame(self._frame(sample, pixels, "gray8"))
        if self._host.colour and self._colour_pace.take(
            sample.monotonic_s, COLOUR_FPS, _EARLY_PART / COLOUR_FPS
        ):
            pixels = colour(sample.picture, _WIDEST_COLOUR)
            self._host.colour_frame(self._frame(sample, pixels, "bgr24"))

    def _frame(
        self, sample: Sample, pixels: NDArray[np.uint8], format: Literal["gray8", "bgr24"]
    ) -> Frame:
        self._sequence += 1
        return Frame(
            camera=self._host.id,
            sequence=self._sequence,
            pixels=pixels,
            format=format,
            time_us=sample.time_us,
            monotonic_s=sample.monotonic_s,
            is_key=sample.is_key,
        )
