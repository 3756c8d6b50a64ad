"""Adds what a camera adds – light, drift, noise, coding – and writes video and truth."""

from __future__ import annotations

import json
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.motion.scenery import HEIGHT, WIDTH
from benchmarks.motion.scenes import FPS, Scene

#: Seconds between key frames.
KEY_INTERVAL_S = 2
_DAY_NOISE, _NIGHT_NOISE, _NIGHT_GAIN = 2.2, 7.0, 0.45
#: Still stretches shorter than this do not end a true interval.
_CLOSE_S = 3.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """A scene on disk.

    :param intervals: (start, end) in seconds in which motion must be found
    :param quiet: per frame, whether nothing that counts moves
    """

    scene: Scene
    path: Path
    intervals: tuple[tuple[float, float], ...]
    quiet: NDArray[np.bool_]


def record(scene: Scene, folder: Path, seed: int) -> Recorded:
    """Make a scene, or take it from the folder when it was made before with this seed."""
    path = folder / f"{scene.name.replace(' ', '_')}_{seed}.mp4"
    truth = path.with_suffix(".json")
    if not truth.exists():
        truth.write_text(json.dumps(_encode(scene, path, seed)))
    amounts = np.array(json.loads(truth.read_text()))
    return Recorded(scene, path, true_intervals(amounts), amounts <= 0.0)


def true_intervals(amounts: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """Stretches in which something moves, short stops closed."""
    moving = np.flatnonzero(amounts >= 1.0)
    if not len(moving):
        return ()
    breaks = np.flatnonzero(np.diff(moving) > _CLOSE_S * FPS)
    starts = np.concatenate([moving[:1], moving[breaks + 1]])
    ends = np.concatenate([moving[breaks], moving[-1:]])
    return tuple((float(a) / FPS, float(b + 1) / FPS) for a, b in zip(starts, ends, strict=True))


def _encode(scene: Scene, path: Path, seed: int) -> list[float]:
    rng = np.random.default_rng([seed, zlib.crc32(scene.name.encode())])
    noise, gain = (_NIGHT_NOISE, _NIGHT_GAIN) if scene.night else (_DAY_NOISE, 1.0)
    grains = [_grain(rng, noise) for _ in range(6)]
    amounts: list[float] = []
    with subprocess.Popen(_command(scene, path), stdin=subprocess.PIPE) as coder:
        assert coder.stdin is not None
        for number, (picture, amount) in enumerate(scene.frames(rng)):
            drift = 1 + 0.03 * np.sin(2 * np.pi * number / FPS / 37)
            x, y = rng.integers(0, 64, 2)
            grain = grains[int(rng.integers(0, 6))][y : y + HEIGHT, x : x + WIDTH]
            seen = picture * np.float32(gain * drift) + grain
            coder.stdin.write(np.clip(seen, 0, 255).astype(np.uint8).tobytes())
            amounts.append(round(amount, 3))
    if coder.returncode:
        raise RuntimeError(f"ffmpeg ended with {coder.returncode} while making {path.name}")
    return amounts


def _grain(rng: np.random.Generator, deviation: float) -> NDArray[np.float32]:
    """Noise as a sensor's pipeline leaves it: slightly smoothed."""
    raw = rng.normal(0, 1, (HEIGHT + 64, WIDTH + 64)).astype(np.float32)
    smooth = cv2.GaussianBlur(raw, (0, 0), 0.6)
    return np.asarray(smooth * (deviation / float(smooth.std())), dtype=np.float32)


def _command(scene: Scene, path: Path) -> list[str]:
    rate, keys = f"{scene.kilobit_s}k", str(KEY_INTERVAL_S * FPS)
    return [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-threads",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-s",
        f"{WIDTH}x{HEIGHT}",
        "-r",
        str(FPS),
        "-i",
        "-",
        "-c:v",
        "libx264",
        "-preset",
        "superfast",
        "-pix_fmt",
        "yuv420p",
        "-bf",
        "0",
        "-b:v",
        rate,
        "-minrate",
        rate,
        "-maxrate",
        rate,
        "-bufsize",
        rate,
        "-g",
        keys,
        "-keyint_min",
        keys,
        "-sc_threshold",
        "0",
        "-x264-params",
        "rc-lookahead=0:mbtree=0:threads=1:sync-lookahead=0",
        str(path),
    ]
