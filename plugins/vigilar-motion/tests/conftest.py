"""Drawn pictures of a fixed view, a walker in it, and a camera that shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vigilar_motion.detector import MotionDetector, MotionResult
from vigilar_motion.options import MotionOptions

Picture = NDArray[np.float32]
Change = Callable[[Picture, float], Picture]
WIDTH, HEIGHT = 320, 180
#: Noise of deviation 1, of which every picture takes another part.
GRAIN = np.random.default_rng(5).normal(0, 1, (600, WIDTH + 400)).astype(np.float32)


def view(seed: int = 1) -> Picture:
    """A background with edges and texture."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(50, 190, (9, 16)).astype(np.float32)
    picture = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    fine = cv2.GaussianBlur(rng.normal(0, 25, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 1.5)
    return np.asarray(np.clip(picture + 3 * fine, 10, 240), dtype=np.float32)


def walker(
    start_s: float, seconds: float = 6.0, luma: float = 20.0, size: tuple[int, int] = (16, 44)
) -> Change:
    """A dark upright thing that crosses from left to right."""

    def apply(picture: Picture, time_s: float) -> Picture:
        part = (time_s - start_s) / seconds
        if 0.0 <= part <= 1.0:
            x = int(part * (WIDTH - size[0]))
            picture[80 : 80 + size[1], x : x + size[0]] = luma
        return picture

    return apply


@dataclass
class Camera:
    """Shows a view with noise to a detector and keeps what the detector says."""

    detector: MotionDetector
    changes: list[Change] = field(default_factory=list)
    background: Picture = field(default_factory=view)
    noise: float = 2.0
    time_s: float = 1000.0
    results: list[tuple[float, MotionResult]] = field(default_factory=list)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))

    def pictures(self, seconds: float, fps: float) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        end_s = self.time_s + seconds
        while self.time_s < end_s - 1e-6:
            picture = self.background.copy()
            for change in self.changes:
                picture = change(picture, self.time_s - 1000.0)
            y, x = self.rng.integers(0, GRAIN.shape[0] - HEIGHT), self.rng.integers(0, 400)
            seen = picture + np.float32(self.noise) * GRAIN[y : y + HEIGHT, x : x + WIDTH]
            yield self.time_s, np.clip(seen, 0, 255).astype(np.uint8)
            self.time_s += 1.0 / fps

    def play(self, seconds: float, fps: float = 5.0) -> None:
        for time_s, picture in self.pictures(seconds, fps):
            self.results.append((time_s - 1000.0, self.detector.update(picture, time_s)))

    def edges(self, edge: str) -> list[float]:
        """Times of the edges of motion, on the scale on which the camera began at 0."""
        return [at_s for at_s, result in self.results if result.edge and result.edge.edge == edge]

    def kinds(self, edge: str = "start") -> list[str]:
        """Changes of the scene."""
        return [e.kind.value for _, result in self.results for e in result.scene if e.edge == edge]


@pytest.fixture(params=["blocks", "mog2"])
def camera(request: pytest.FixtureRequest) -> Camera:
    """A small camera, once with each method."""
    return make_camera(MotionOptions(method=request.param))


@pytest.fixture
def blocks_camera() -> Camera:
    """A small camera with the method ``blocks``."""
    return make_camera(MotionOptions(method="blocks"))


def make_camera(options: MotionOptions) -> Camera:
    """A camera of a quarter of the default size; the least area is scaled with it."""
    scaled = MotionOptions(
        method=options.method,
        sensitivity=options.sensitivity,
        min_area_px=options.min_area_px // 4,
        motion_zones=options.motion_zones,
        zones=options.zones,
        timing=options.timing,
    )
    return Camera(MotionDetector(scaled, (WIDTH, HEIGHT)))


@pytest.fixture
def with_options() -> Callable[[MotionOptions], Camera]:
    """Makes a camera with options of its own."""
    return make_camera


@pytest.fixture
def walking() -> Callable[..., Change]:
    """Makes a walker."""
    return walker


@pytest.fixture
def other_view() -> Picture:
    """The background of quite another place."""
    return view(seed=2)
