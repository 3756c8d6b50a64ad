"""One camera's detector: pictures in, motion and changes of the scene out.

The detector is single-threaded. OpenCV has threads of its own that cost more than they give on
pictures of this size; the process that hosts detectors calls ``cv2.setNumThreads(1)`` once.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from vigilar_core.media import Box
from vigilar_motion.blocks import BlockMethod
from vigilar_motion.edges import Edge, EdgeMachine, Sighting
from vigilar_motion.grid import BlockGrid, Luma, Mask, Sample
from vigilar_motion.method import ChangeMethod
from vigilar_motion.mog2 import Mog2Method
from vigilar_motion.options import MotionOptions
from vigilar_motion.regions import Region, find_regions
from vigilar_motion.scene import SceneEdge, SceneMonitor
from vigilar_motion.zones import ZoneMap

#: After a gap in the pictures longer than this, what was learnt is out of date.
_STALE_S = 30.0
#: This part of the least area confirms motion once seen, and keeps it alive.
_SUSTAIN = 0.5
#: A thing crosses the picture in no less than this time; insects at the lens do.
_CROSSING_S = 1.2
#: Its middle wavers by this part of the width, and by this part of its own size.
_WAVER, _WAVER_OF_SIZE = 0.02, 0.3
#: More strength than this adds nothing to the confidence.
_FULL_STRENGTH = 4.0


@dataclass(frozen=True, slots=True)
class MotionResult:
    """What one picture says.

    :param confidence: 0.0 to 1.0; 0.5 is just enough to count
    :param area_px: of the boxes, in pixels of the pictures
    :param boxes: of the moving regions, the largest first, relative coordinates
    :param zones: named zones touched
    :param edge: motion started or ended with this picture
    :param scene: changes of the whole scene
    :param wants_faster: more pictures a second would settle something, or motion is under way
    """

    confidence: float = 0.0
    area_px: float = 0.0
    boxes: tuple[Box, ...] = ()
    zones: tuple[str, ...] = ()
    edge: Edge | None = None
    scene: tuple[SceneEdge, ...] = ()
    wants_faster: bool = False


class MotionDetector:
    """Finds motion in the pictures of one camera.

    A change of the pictures' size starts it anew.

    :param options: settings
    :param size: width and height of the motion resolution, which zones in pixels refer to
    :raises ValueError: a zone is not valid
    """

    def __init__(self, options: MotionOptions, size: tuple[int, int] = (640, 360)) -> None:
        self._options = options
        self._size = size
        self._machine = EdgeMachine(options.timing)
        self._previous_s: float | None = None
        self._prepare(BlockGrid(size[1], size[0]))

    @property
    def active(self) -> bool:
        """Whether motion is under way."""
        return self._machine.active

    def update(self, image: Luma, time_s: float, is_key: bool = True) -> MotionResult:
        """Look at the next picture.

        :param image: height × width, luma, unsigned bytes
        :param time_s: monotonic time of the picture; pictures not after the last one are ignored
        :param is_key: decoded from a key frame; with many others between two of them, a still
            scene may give equal pictures from one to the next
        :raises ValueError: not a grey picture, or too small
        """
        if image.ndim != 2 or image.dtype != np.uint8:
            raise ValueError(f"a grey picture of bytes is needed, got {image.dtype} {image.shape}")
        if self._previous_s is not None and time_s <= self._previous_s:
            return MotionResult(wants_faster=self._machine.wants_faster)
        if (image.shape[1], image.shape[0]) != self._grid.size:
            self._prepare(BlockGrid(*image.shape))
        interval_s = 0.0 if self._previous_s is None else time_s - self._previous_s
        if interval_s > _STALE_S:
            self._prepare(self._grid)
            interval_s = 0.0
        self._previous_s = time_s
        return self._judge(self._grid.sample(image, time_s, interval_s, is_key))

    def _prepare(self, grid: BlockGrid) -> None:
        options = self._options
        self._grid = grid
        self._zones = ZoneMap(options.motion_zones, options.zones, self._size, grid.shape)
        self._scene = SceneMonitor(grid.shape)
        self._method = _method(options, grid)
        self._seen: deque[tuple[float, Box]] = deque()
        pixels = self._size[0] * self._size[1]
        self._min_area_px = options.min_area_px * grid.size[0] * grid.size[1] / pixels
        self._machine.restart()

    def _judge(self, sample: Sample) -> MotionResult:
        scene = tuple(self._scene.update(sample))
        if not self._scene.steady:
            self._method.adopt(sample)
            self._machine.pause(sample.time_s)
            return MotionResult(scene=scene, wants_faster=self._machine.wants_faster)
        regions = self._regions(sample)
        moving = _union(regions, self._grid.shape)
        self._method.learn(sample, moving if self._machine.warm else moving & False)
        zones = self._zones.touched(_union(regions, self._grid.shape, now=True)) if regions else ()
        confidence = max((self._confidence(region) for region in regions), default=0.0)
        boxes = tuple(region.box for region in regions)
        since_s = self._since(sample.time_s, boxes)
        sighting = Sighting(confidence, since_s, boxes, zones) if regions else None
        edge = self._machine.observe(sample.time_s, sighting)
        return MotionResult(
            confidence=confidence,
            area_px=sum(region.area_px for region in regions),
            boxes=boxes,
            zones=zones,
            edge=edge,
            scene=scene,
            wants_faster=self._machine.wants_faster,
        )

    def _regions(self, sample: Sample) -> list[Region]:
        change = self._method.changes(sample)
        begun = self._machine.active or self._machine.suspects
        least_px = self._min_area_px * (_SUSTAIN if begun else 1.0)
        found = find_regions(change, self._zones.active, least_px)
        return [region for region in found if not self._scene.is_light(sample, region.place)]

    def _since(self, time_s: float, boxes: tuple[Box, ...]) -> float:
        """When the first thing was seen from whose place one of these can have been reached."""
        while self._seen and self._seen[0][0] < time_s - self._options.timing.window_s:
            self._seen.popleft()
        reached = [
            at_s
            for at_s, before in self._seen
            if any(_reachable(before, box, time_s - at_s) for box in boxes)
        ]
        self._seen.extend((time_s, box) for box in boxes)
        return reached[0] if reached else time_s

    def _confidence(self, region: Region) -> float:
        excess = region.area_px / self._min_area_px * min(region.strength, _FULL_STRENGTH)
        return float(1.0 - 0.5**excess)


def _method(options: MotionOptions, grid: BlockGrid) -> ChangeMethod:
    if options.method == "mog2":
        return Mog2Method(grid, options.reluctance)
    return BlockMethod(grid.shape, grid.block_area_px, options.reluctance)


def _union(regions: list[Region], shape: tuple[int, int], now: bool = False) -> Mask:
    union = np.zeros(shape, np.bool_)
    for region in regions:
        union |= region.place if now else region.blocks
    return union


def _reachable(before: Box, after: Box, seconds: float) -> bool:
    """Whether a thing can have gone from one box to another in so much time."""
    x = before.x + before.width / 2 - after.x - after.width / 2
    y = before.y + before.height / 2 - after.y - after.height / 2
    size = max(before.width, before.height, after.width, after.height)
    return bool(np.hypot(x, y) <= seconds / _CROSSING_S + _WAVER + _WAVER_OF_SIZE * size)
