"""Pictures to make scenes from: backgrounds, figures, weather. All drawn, all from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
WIDTH, HEIGHT = 640, 360
#: Sub-pixel bits of OpenCV's drawing functions.
_SHIFT = 4
_ROWS = np.arange(HEIGHT, dtype=np.float32)[:, None]


def as_picture(image: object) -> Picture:
    """What NumPy or OpenCV made, as a picture."""
    return np.asarray(image, dtype=np.float32)


def yard(rng: np.random.Generator) -> Picture:
    """A house front, a path, a fence and a lawn, each with texture."""
    picture = np.empty((HEIGHT, WIDTH), np.float32)
    picture[:120] = rng.uniform(120, 190)
    picture[120:] = rng.uniform(70, 130)
    for _ in range(int(rng.integers(8, 16))):
        x, y = int(rng.integers(0, WIDTH - 60)), int(rng.integers(0, 200))
        width, height = (int(value) for value in rng.integers(20, 120, 2))
        cv2.rectangle(picture, (x, y), (x + width, y + height), float(rng.uniform(40, 220)), -1)
    for x in range(0, WIDTH, int(rng.integers(18, 40))):
        cv2.line(picture, (x, 200), (x, 240), float(rng.uniform(40, 200)), 2)
    path = np.array([[250, HEIGHT], [400, HEIGHT], [340, 150], [310, 150]], np.int32)
    cv2.fillPoly(picture, [path], float(rng.uniform(110, 170)))
    for scale, amplitude in ((2.0, 14.0), (6.0, 10.0), (30.0, 14.0)):
        picture += _texture(rng, scale, amplitude)
    return np.clip(picture, 8, 245)


def room(rng: np.random.Generator) -> Picture:
    """Plain walls, a floor, furniture: large flat parts."""
    picture = np.full((HEIGHT, WIDTH), rng.uniform(150, 200), np.float32)
    floor = np.array([[0, HEIGHT], [WIDTH, HEIGHT], [500, 220], [140, 220]], np.int32)
    cv2.fillPoly(picture, [floor], float(rng.uniform(90, 130)))
    for _ in range(6):
        x, y = int(rng.integers(0, WIDTH - 100)), int(rng.integers(60, 240))
        width, height = (int(value) for value in rng.integers(40, 130, 2))
        cv2.rectangle(picture, (x, y), (x + width, y + height), float(rng.uniform(40, 220)), -1)
    picture += _texture(rng, 20.0, 8.0) + _texture(rng, 1.5, 3.0)
    return np.clip(picture, 8, 245)


def _texture(rng: np.random.Generator, scale: float, amplitude: float) -> Picture:
    grain = cv2.GaussianBlur(rng.normal(0, 1, (HEIGHT, WIDTH)), (0, 0), scale)
    return (grain * (amplitude / max(1e-6, float(grain.std())))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Walker:
    """A figure that walks along a line, its limbs swinging.

    :param height_px: head to foot; a third of it wide
    :param contrast: luma against the middle of what is behind it; it is opaque, with folds
    :param path: corners (time, x, y of the feet); it stops where two have the same place
    """

    height_px: float
    contrast: float
    path: tuple[tuple[float, float, float], ...]

    def draw(self, picture: Picture, time_s: float) -> float:
        """Draw it at a time.

        :returns: the part of it that is in the picture, 0.0 when it is away
        """
        times = [corner[0] for corner in self.path]
        if not times[0] <= time_s <= times[-1]:
            return 0.0
        x = float(np.interp(time_s, times, [corner[1] for corner in self.path]))
        y = float(np.interp(time_s, times, [corner[2] for corner in self.path]))
        mask = np.zeros(picture.shape, np.uint8)
        self._body(mask, x, y)
        self._legs(mask, x, y, time_s)
        share = mask.astype(np.float32) * np.float32(1 / 255)
        cloth = cv2.blur(picture, (61, 61)) + self.contrast * (1 + 0.3 * np.sin(_ROWS / 4 - y / 4))
        picture += share * (np.clip(cloth, 4, 250).astype(np.float32) - picture)
        return float(share.sum()) / (0.22 * self.height_px**2)

    def _body(self, mask: NDArray[np.uint8], x: float, y: float) -> None:
        h = self.height_px
        _ellipse(mask, x, y - 0.92 * h, 0.07 * h, 0.08 * h)
        _ellipse(mask, x, y - 0.64 * h, 0.14 * h, 0.22 * h)

    def _legs(self, mask: NDArray[np.uint8], x: float, y: float, time_s: float) -> None:
        h = self.height_px
        swing = 0.16 * h * np.sin(2 * np.pi * 0.9 * time_s)
        width = max(1, round(0.1 * h))
        for side in (-1, 1):
            hip = (round(x * 16), round((y - 0.46 * h) * 16))
            foot = (round((x + side * swing) * 16), round(y * 16))
            cv2.line(mask, hip, foot, 255, width, cv2.LINE_AA, _SHIFT)


def _ellipse(mask: NDArray[np.uint8], x: float, y: float, a: float, b: float) -> None:
    centre, axes = (round(x * 16), round(y * 16)), (round(a * 16), round(b * 16))
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 255, -1, cv2.LINE_AA, _SHIFT)


@dataclass(frozen=True, slots=True)
class Car:
    """A car of two boxes that follows a path as a walker does."""

    length_px: float
    luma: float
    path: tuple[tuple[float, float, float], ...]

    def draw(self, picture: Picture, time_s: float) -> float:
        times = [corner[0] for corner in self.path]
        if not times[0] <= time_s <= times[-1]:
            return 0.0
        x = float(np.interp(time_s, times, [corner[1] for corner in self.path]))
        y = float(np.interp(time_s, times, [corner[2] for corner in self.path]))
        mask = np.zeros(picture.shape, np.uint8)
        size = self.length_px
        _ellipse(mask, x, y - 0.14 * size, 0.5 * size, 0.14 * size)
        _ellipse(mask, x, y - 0.27 * size, 0.28 * size, 0.12 * size)
        share = mask.astype(np.float32) * np.float32(1 / 255)
        picture += share * (np.float32(self.luma) - picture)
        return float(share.sum()) / (0.3 * size * size)


class Rain:
    """Streaks that fall fast, each in one picture only."""

    def __init__(self, rng: np.random.Generator, drops: int) -> None:
        self._rng, self._drops = rng, drops

    def draw(self, picture: Picture) -> None:
        layer = np.zeros(picture.shape, np.float32)
        for _ in range(self._drops):
            x, y = float(self._rng.uniform(0, WIDTH)), float(self._rng.uniform(0, HEIGHT))
            length = float(self._rng.uniform(8, 28))
            end = (round((x + 0.1 * length) * 16), round((y + length) * 16))
            cv2.line(layer, (round(x * 16), round(y * 16)), end, 1.0, 1, cv2.LINE_AA, _SHIFT)
        picture += layer * (200 - picture) * 0.25


class Snow:
    """Flakes that drift, near ones large and fast."""

    def __init__(self, rng: np.random.Generator, flakes: int) -> None:
        self._x, self._y = rng.uniform(0, WIDTH, flakes), rng.uniform(0, HEIGHT, flakes)
        self._size = rng.uniform(0.8, 1.6, flakes) ** 3
        self._phase = rng.uniform(0, 6.3, flakes)

    def draw(self, picture: Picture, time_s: float) -> None:
        layer = np.zeros(picture.shape, np.uint8)
        y = (self._y + time_s * 45 * self._size) % HEIGHT
        x = (self._x + 18 * np.sin(time_s * 1.3 + self._phase) + 9 * time_s) % WIDTH
        for at_x, at_y, size in zip(x, y, self._size, strict=True):
            centre = (round(at_x * 16), round(at_y * 16))
            cv2.circle(layer, centre, round(size * 16), 255, -1, cv2.LINE_AA, _SHIFT)
        picture += layer.astype(np.float32) * np.float32(1 / 255) * (225 - picture) * 0.8


class Tree:
    """Branches with leaves that swing in gusts."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._leaves = rng.normal((110, 90), (38, 40), (160, 2))
        self._luma = rng.uniform(20, 90, 160)
        self._phase = rng.uniform(0, 1.5, 160)

    def draw(self, picture: Picture, time_s: float) -> None:
        gust = 0.45 + 0.55 * np.sin(2 * np.pi * time_s / 19) ** 2
        swing = 7 * gust * np.sin(2 * np.pi * 0.7 * time_s + self._phase)
        for (x, y), luma, shift in zip(self._leaves, self._luma, swing, strict=True):
            centre = (round((x + shift) * 16), round((y + 0.4 * shift) * 16))
            cv2.circle(picture, centre, 7 * 16, float(luma), -1, cv2.LINE_AA, _SHIFT)


def insect(picture: Picture, time_s: float, start_s: float, row: float) -> None:
    """A bright blurred thing that crosses close to the lens within half a second."""
    part = (time_s - start_s) / 0.5
    if not 0.0 <= part <= 1.0:
        return
    layer = np.zeros(picture.shape, np.float32)
    x, y = part * (WIDTH + 80) - 40, row + 60 * np.sin(5 * part)
    cv2.line(layer, (round(x - 40), round(y)), (round(x + 20), round(y - 12)), 1.0, 22)
    picture += cv2.GaussianBlur(layer, (0, 0), 8) * (230 - picture) * 0.8


def headlights(picture: Picture, time_s: float, start_s: float) -> None:
    """A pool of light that sweeps over the scene within three seconds."""
    part = (time_s - start_s) / 3.0
    if not 0.0 <= part <= 1.0:
        return
    xs, ys = np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32)[:, None]
    centre = part * (WIDTH + 400) - 200
    pool = np.exp(-(((xs - centre) / 110) ** 2) - ((ys - 200) / 90) ** 2)
    picture *= 1 + 1.6 * pool
    np.clip(picture, 0, 255, out=picture)


def cloud(picture: Picture, time_s: float, start_s: float) -> None:
    """A shadow with a soft edge that passes over in eight seconds."""
    part = (time_s - start_s) / 8.0
    if not 0.0 <= part <= 1.0:
        return
    xs = np.arange(WIDTH, dtype=np.float32)[None, :]
    front, back = part * 2.2 * WIDTH, part * 2.2 * WIDTH - 1.2 * WIDTH
    shade = 1 / (1 + np.exp((xs - front) / 40)) - 1 / (1 + np.exp((xs - back) / 40))
    picture *= 1 - 0.3 * shade
