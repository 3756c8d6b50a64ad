"""The detector attached to a camera: frames in, edges of motion out."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from vigilar_core.context import CameraContext
from vigilar_core.media import Frame, Motion, MotionKind, Stream
from vigilar_motion.detector import MotionDetector, MotionResult
from vigilar_motion.settings import MotionSettings

#: Asked of the source while motion is under way or suspected; it caps it at ``motion_fps``.
FAST_FPS = 5.0


class MotionAnalyser:
    """Inline plugin object of one camera."""

    def __init__(self, camera: CameraContext) -> None:
        # Threads of OpenCV cost more than they give on pictures of this size.
        cv2.setNumThreads(1)
        self._camera = camera
        self._options = camera.settings(MotionSettings).options()
        self._detector: MotionDetector | None = None
        self._fast = False

    def on_connected(self, _streams: Sequence[Stream]) -> None:
        self._ask(True)

    def on_frame(self, frame: Frame) -> Sequence[Motion]:
        if self._detector is None:
            height, width = frame.pixels.shape[:2]
            self._detector = MotionDetector(self._options, (width, height))
        result = self._detector.update(frame.pixels, frame.monotonic_s)
        self._ask(result.wants_faster)
        return list(_motions(frame, result))

    def _ask(self, fast: bool) -> None:
        if fast != self._fast:
            self._fast = fast
            self._camera.ask_analysis_fps(FAST_FPS if fast else None)


def _motions(frame: Frame, result: MotionResult) -> list[Motion]:
    found = [
        Motion(
            camera=frame.camera,
            kind=change.kind,
            edge=change.edge,
            time_us=frame.time_us,
            monotonic_s=frame.monotonic_s,
            confidence=change.confidence,
        )
        for change in result.scene
    ]
    if (edge := result.edge) is not None:
        found.append(
            Motion(
                camera=frame.camera,
                kind=MotionKind.MOTION,
                edge=edge.edge,
                time_us=frame.time_us,
                monotonic_s=frame.monotonic_s,
                confidence=edge.sighting.confidence,
                zones=edge.sighting.zones,
                boxes=edge.sighting.boxes,
            )
        )
    return found
