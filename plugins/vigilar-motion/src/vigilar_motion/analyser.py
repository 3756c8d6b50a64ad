"""The detector in its place: frames of one camera in, edges of motion out."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence

from vigilar_core.context import CameraContext
from vigilar_core.media import Frame, Motion, MotionKind
from vigilar_motion.detector import MotionDetector
from vigilar_motion.edges import Edge
from vigilar_motion.event_kinds import zones_refused_topic
from vigilar_motion.options import MotionOptions
from vigilar_motion.scene import SceneEdge
from vigilar_motion.settings import MotionSettings

#: Asked for while something moves or is to be settled; the source caps it at ``motion_fps``.
_FULL_FPS = 60.0

log = logging.getLogger(__name__)


class MotionAnalyser:
    """The inline part of the plugin, one for each camera.

    :param camera: settings, bus, and where to ask for more pictures
    """

    def __init__(self, camera: CameraContext) -> None:
        self._camera = camera
        self._options = camera.settings(MotionSettings).options()
        self._detector: MotionDetector | None = None
        self._faster = False

    def on_frame(self, frame: Frame) -> Sequence[Motion]:
        """Look at a grey picture; others are left to others."""
        if frame.format != "gray8":
            return ()
        if self._detector is None:
            height, width = frame.pixels.shape
            self._detector = self._make((width, height))
        result = self._detector.update(frame.pixels, frame.monotonic_s, frame.is_key)
        self._ask(result.wants_faster)
        motions = [_scene_motion(frame, edge) for edge in result.scene]
        if result.edge is not None:
            motions.append(_motion(frame, result.edge))
        return motions

    def on_disconnected(self, reason: str) -> None:
        """Nothing is to be settled while there are no pictures."""
        self._ask(False)

    def _make(self, size: tuple[int, int]) -> MotionDetector:
        """A detector for pictures of this size, without the zones if they do not fit it.

        To watch too much is better than to watch nothing.
        """
        try:
            return MotionDetector(self._options, size)
        except ValueError as error:
            log.error("camera %s: %s", self._camera.id, error)
            topic = zones_refused_topic(self._camera.id)
            self._camera.bus.publish_event(topic, reason=f"{error}.")
            return MotionDetector(_without_zones(self._options), size)

    def _ask(self, faster: bool) -> None:
        if faster != self._faster:
            self._faster = faster
            self._camera.ask_analysis_fps(_FULL_FPS if faster else None)


def _without_zones(options: MotionOptions) -> MotionOptions:
    return dataclasses.replace(options, motion_zones=(), zones=())


def _motion(frame: Frame, edge: Edge) -> Motion:
    seen = edge.sighting
    return Motion(
        camera=frame.camera,
        kind=MotionKind.MOTION,
        edge=edge.edge,
        time_us=frame.time_us,
        monotonic_s=frame.monotonic_s,
        confidence=seen.confidence,
        zones=seen.zones,
        boxes=seen.boxes,
    )


def _scene_motion(frame: Frame, edge: SceneEdge) -> Motion:
    return Motion(
        camera=frame.camera,
        kind=edge.kind,
        edge=edge.edge,
        time_us=frame.time_us,
        monotonic_s=frame.monotonic_s,
        confidence=edge.confidence,
    )
