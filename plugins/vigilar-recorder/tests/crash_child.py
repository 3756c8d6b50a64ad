"""Records a clip at twice its pace and says how far it got; made to be killed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from vigilar_core.clock import SystemClock
from vigilar_core.media import Motion, MotionKind
from vigilar_core.testing import FakeBus, FakeCamera
from vigilar_core.testing.clip import make_clip
from vigilar_recorder.camera_recorder import CameraRecorder
from vigilar_recorder.event_kinds import EVENT_KINDS
from vigilar_recorder.settings import RecordingStorage

PACE = 2.0


def main(folder: str, encrypted: str) -> None:
    clock = SystemClock()
    bus = FakeBus(EVENT_KINDS, clock=clock)
    camera = FakeCamera(
        Path(folder), bus=bus, models=[RecordingStorage(encrypt_recordings=encrypted == "1")]
    )
    camera.clock = clock  # type: ignore[assignment]
    recorder = CameraRecorder(camera)
    clip = make_clip(12, audio="aac", b_frames=2)
    camera.streams = clip.streams
    recorder.on_connected(clip.streams)
    begin_s, begin_us = clock.monotonic_s(), clock.time_us()
    for number, packet in enumerate(clip.at(begin_s, begin_us)):
        while (packet.monotonic_s - begin_s) / PACE > clock.monotonic_s() - begin_s:
            time.sleep(0.002)
        if number == 10:
            recorder.on_motion(Motion("hall", MotionKind.MOTION, "start", begin_us, begin_s))
        recorder.on_packet(packet)
        recorder.on_tick()
        sys.stdout.write(f"{packet.monotonic_s - begin_s:.3f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
