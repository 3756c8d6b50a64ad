"""A front yard drawn by arithmetic: texture, sensor noise, and figures that cross it.

Pictures are YUV 4:2:0 planes. Only the rectangle around a figure is drawn in colour and converted,
which keeps a picture of 1280×720 near a millisecond.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vigilar_camera_rtsp.demo.frame_code import write_clock, write_frame_number

Picture = npt.NDArray[np.uint8]

_NOISE_SIGMA = 2.2
_NOISE_FIELDS = 6
_NOISE_MARGIN_PX = 64


class Figure(enum.Enum):
    """What crosses the scene."""

    PERSON = "person"
    CAR = "car"


@dataclass(frozen=True, slots=True)
class Movement:
    """One crossing: from `start_s` to `end_s` in clip time, between two places of the width.

    `enter` and `leave` are fractions of the width for the figure's centre; values below 0 or
    above 1 lie outside the picture.
    """

    figure: Figure
    start_s: float
    end_s: float
    enter: float = -0.12
    leave: float = 1.12

    def place(self, time_s: float) -> float | None:
        """Where the centre is at `time_s`, a fraction of the width; None outside the interval."""
        if not self.start_s <= time_s < self.end_s:
            return None
        done = (time_s - self.start_s) / (self.end_s - self.start_s)
        return self.enter + (self.leave - self.enter) * done


class Scene:
    """Draws the picture of any instant.

    Parameters: `width` and `height` in pixels, multiples of 4; `seed` chooses texture and noise;
    `movements` may overlap.
    """

    def __init__(self, width: int, height: int, movements: Sequence[Movement], seed: int) -> None:
        if width % 4 or height % 4:
            raise ValueError(f"scene size {width}x{height}: both must be multiples of 4")
        self.width = width
        self.height = height
        self._movements = tuple(movements)
        self._random = np.random.default_rng(seed)
        self._background = _background(width, height, self._random)
        self._planes = _to_planes(self._background)
        self._noise = _noise_fields(width, height, self._random)

    def draw(self, time_s: float, number: int) -> tuple[Picture, Picture, Picture]:
        """Return the planes y, u, v at `time_s`, stamped with `number` and the time."""
        y, u, v = (plane.copy() for plane in self._planes)
        for movement in self._movements:
            place = movement.place(time_s)
            if place is not None:
                self._place_figure(movement.figure, place, time_s, (y, u, v))
        y = self._with_noise(y)
        write_clock(y, u, v, f"{_clock(time_s)} {number:05d}")
        write_frame_number(y, u, v, number)
        return y, u, v

    def _with_noise(self, y: Picture) -> Picture:
        left, top = (int(value) for value in self._random.integers(0, _NOISE_MARGIN_PX, 2))
        field = self._noise[int(self._random.integers(0, len(self._noise)))]
        noise = field[top : top + self.height, left : left + self.width]
        noisy: Picture = cv2.add(y, noise, dtype=cv2.CV_8U).astype(np.uint8, copy=False)
        return noisy

    def _place_figure(
        self, figure: Figure, place: float, time_s: float, planes: tuple[Picture, ...]
    ) -> None:
        centre = place * self.width
        reach = self.height * (0.36 if figure is Figure.CAR else 0.2)
        left = max(0, int(centre - reach) & ~3)
        right = min(self.width, (int(centre + reach) + 4) & ~3)
        if left >= right:
            return
        patch = self._background[:, left:right].copy()
        painter = _draw_car if figure is Figure.CAR else _draw_person
        painter(patch, centre - left, self.height, time_s)
        for plane, piece in zip(planes, _to_planes(patch), strict=True):
            step = self.width // plane.shape[1]
            plane[:, left // step : right // step] = piece


def _clock(time_s: float) -> str:
    minutes, seconds = divmod(time_s, 60)
    return f"{int(minutes):02d}:{seconds:06.3f}"


def _to_planes(bgr: Picture) -> tuple[Picture, Picture, Picture]:
    height, width = bgr.shape[:2]
    stacked = cv2.cvtColor(np.ascontiguousarray(bgr), cv2.COLOR_BGR2YUV_I420)
    flat = stacked.astype(np.uint8, copy=False).ravel()
    luma, quarter = width * height, width * height // 4
    chroma = (height // 2, width // 2)
    return (
        flat[:luma].reshape(height, width),
        flat[luma : luma + quarter].reshape(chroma),
        flat[luma + quarter :].reshape(chroma),
    )


def _background(width: int, height: int, random: np.random.Generator) -> Picture:
    picture = np.empty((height, width, 3), np.uint8)
    horizon, road = int(height * 0.34), int(height * 0.78)
    picture[:horizon] = (196, 178, 160)
    picture[horizon:road] = (62, 104, 84)
    picture[road:] = (92, 92, 94)
    _draw_house(picture, width, height)
    for scale, strength in ((4, 9.0), (16, 12.0), (64, 10.0)):
        shape = (height // scale + 1, width // scale + 1)
        grain = random.normal(0, strength, shape).astype(np.float32)
        grain = cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        picture = np.clip(picture + grain[..., None], 0, 255).astype(np.uint8)
    for left in range(0, width, width // 8):
        stripe = (left, int(height * 0.9)), (left + width // 16, int(height * 0.91))
        cv2.rectangle(picture, *stripe, (188, 196, 196), -1)
    return picture


def _draw_house(picture: Picture, width: int, height: int) -> None:
    def point(x: float, y: float) -> tuple[int, int]:
        return int(x * width), int(y * height)

    cv2.rectangle(picture, point(0.08, 0.14), point(0.42, 0.58), (132, 150, 176), -1)
    roof = np.array([point(0.05, 0.15), point(0.25, 0.03), point(0.45, 0.15)])
    cv2.fillPoly(picture, [roof], (58, 62, 92))
    cv2.rectangle(picture, point(0.22, 0.34), point(0.29, 0.58), (54, 66, 88), -1)
    for left in (0.11, 0.33):
        cv2.rectangle(picture, point(left, 0.26), point(left + 0.06, 0.38), (120, 104, 78), -1)
    cv2.rectangle(picture, point(0.72, 0.2), point(0.745, 0.56), (48, 68, 88), -1)
    cv2.circle(picture, point(0.732, 0.2), int(0.14 * height), (52, 92, 60), -1)


def _noise_fields(
    width: int, height: int, random: np.random.Generator
) -> list[npt.NDArray[np.int16]]:
    shape = (height + _NOISE_MARGIN_PX, width + _NOISE_MARGIN_PX)
    fields = []
    for _ in range(_NOISE_FIELDS):
        field = random.standard_normal(shape, dtype=np.float32) * (_NOISE_SIGMA * 1.55)
        smooth = cv2.GaussianBlur(field, (3, 3), 0.6)
        fields.append(smooth.astype(np.int16))
    return fields


def _draw_person(patch: Picture, centre: float, height: int, time_s: float) -> None:
    tall = height * 0.36
    feet, swing = height * 0.84, math.sin(time_s * 2 * math.pi * 1.8)

    def point(x: float, y: float) -> tuple[int, int]:
        return int(centre + x * tall), int(feet - y * tall)

    def limb(start: tuple[float, float], end: tuple[float, float], wide: float, hue: int) -> None:
        thick = max(2, int(wide * tall))
        cv2.line(patch, point(*start), point(*end), (hue, hue // 2, 30), thick, cv2.LINE_AA)

    cv2.ellipse(patch, point(0, 0), (int(tall * 0.2), int(tall * 0.03)), 0, 0, 360, (40,) * 3, -1)
    limb((0, 0.5), (0.16 * swing, 0.02), 0.09, 70)
    limb((0, 0.5), (-0.16 * swing, 0.02), 0.09, 60)
    limb((0, 0.78), (-0.15 * swing, 0.46), 0.06, 150)
    chest = (int(tall * 0.1), int(tall * 0.19))
    cv2.ellipse(patch, point(0, 0.66), chest, 0, 0, 360, (168, 60, 36), -1)
    limb((0, 0.78), (0.15 * swing, 0.46), 0.06, 180)
    cv2.circle(patch, point(0, 0.92), int(tall * 0.075), (150, 180, 220), -1, cv2.LINE_AA)


def _draw_car(patch: Picture, centre: float, height: int, time_s: float) -> None:
    long = height * 0.6
    ground = height * 0.93

    def point(x: float, y: float) -> tuple[int, int]:
        return int(centre + x * long), int(ground - y * long)

    shadow = (int(long * 0.5), int(long * 0.05))
    cv2.ellipse(patch, point(0, 0.02), shadow, 0, 0, 360, (48,) * 3, -1)
    cv2.rectangle(patch, point(-0.48, 0.22), point(0.48, 0.06), (44, 38, 168), -1)
    cabin = np.array([point(-0.3, 0.22), point(-0.18, 0.36), point(0.16, 0.36), point(0.3, 0.22)])
    cv2.fillPoly(patch, [cabin], (52, 46, 186))
    glass = np.array([point(-0.24, 0.23), point(-0.15, 0.33), point(0.13, 0.33), point(0.23, 0.23)])
    cv2.fillPoly(patch, [glass], (176, 160, 140))
    for x in (-0.28, 0.28):
        cv2.circle(patch, point(x, 0.06), int(long * 0.075), (26, 26, 26), -1, cv2.LINE_AA)
        angle = time_s * 14
        spoke = point(x + 0.05 * math.cos(angle), 0.06 + 0.05 * math.sin(angle))
        cv2.line(patch, point(x, 0.06), spoke, (180, 180, 180), max(1, int(long * 0.012)))
