"""Scenes from recorded clips: idle background before, between and after them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.motion.scenery import HEIGHT, WIDTH, Picture
from benchmarks.motion.scenes import FPS, Scene

#: A pixel moves when it differs by this much from 0.4 s before; a person, from this many on.
_MOVING_LUMA, _MOVING_PX = 18, 110
_FADE_FRAMES = 6


def clip_scenes(folder: Path) -> list[Scene]:
    """One scene by day and one by night for each ``*.mp4`` in a folder."""
    return [_scene(clip, night) for clip in sorted(folder.glob("*.mp4")) for night in (False, True)]


def _scene(clip: Path, night: bool) -> Scene:
    name = clip.stem.split("_")[-1].split("-")[0] + (" clip night" if night else " clip day")

    def frames(_: np.random.Generator) -> Iterator[tuple[Picture, float]]:
        return _frames(_load(clip))

    return Scene(name, night, 512, True, frames)


def _load(clip: Path, limit_s: float = 60.0) -> list[Picture]:
    """Luma of a clip at the scenes' size and rate, at most its first minute."""
    capture = cv2.VideoCapture(str(clip))
    rate = capture.get(cv2.CAP_PROP_FPS)
    pictures: list[Picture] = []
    number = 0
    while len(pictures) < limit_s * FPS:
        found, image = capture.read()
        if not found:
            break
        number += 1
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        while len(pictures) < min(number / rate, limit_s) * FPS:
            pictures.append(small.astype(np.float32))
    capture.release()
    if not pictures:
        raise ValueError(f"{clip}: no picture can be read from this file")
    return pictures


def _frames(clip: list[Picture]) -> Iterator[tuple[Picture, float]]:
    background = np.median(np.stack(clip[:: max(1, len(clip) // 61)]), axis=0)
    pictures = [background] * (15 * FPS)
    for number, picture in enumerate(clip):
        share = min(1.0, number / _FADE_FRAMES, (len(clip) - 1 - number) / _FADE_FRAMES)
        pictures.append(background + np.float32(share) * (picture - background))
    pictures += [background] * (15 * FPS)
    lag = round(0.4 * FPS)
    begin, end = 15 * FPS, len(pictures) - 15 * FPS
    fading = {*range(begin, begin + 2 * lag), *range(end - lag, end + 2 * lag)}
    blurred = [cv2.GaussianBlur(picture, (3, 3), 0) for picture in pictures]
    for number, picture in enumerate(pictures):
        change = np.abs(blurred[number] - blurred[max(0, number - lag)])
        moving = int(np.count_nonzero(change > _MOVING_LUMA))
        amount = moving / _MOVING_PX
        yield picture, min(amount, 0.5) if number in fading else amount
