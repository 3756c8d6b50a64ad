"""Streams like those of real cameras: 1080p25 at 4 Mbit/s and a sub-stream at 512 kbit/s."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

#: Key frame every two seconds, no B-frames, as cameras are usually set.
_ENCODER = (
    "-c:v libx264 -preset superfast -profile:v high -bf 0 -refs 1 -g 50 -keyint_min 50 "
    "-sc_threshold 0 -pix_fmt yuv420p"
)
_MAIN = "-b:v 4M -minrate 4M -maxrate 4M -bufsize 4M -nal-hrd cbr"
_SUB = "-vf scale=640:360:flags=area -b:v 512k -maxrate 512k -bufsize 512k"
#: A still scene with sensor noise; and a box that crosses it again and again.
_IDLE = "smptehdbars=s=1920x1080:r=25,noise=alls=6:allf=t"
_MOVING = (
    _IDLE
    + "[scene];color=c=white:s=160x320:r=25[box];[scene][box]overlay=x='mod(t*200,1920)':y=400"
)


@dataclass(frozen=True, slots=True)
class Footage:
    """Paths of a main and a sub-stream of the same scene."""

    main: Path
    sub: Path


def make(folder: Path, name: str, *, moving: bool, seconds: int = 20) -> Footage:
    """Encode a scene with FFmpeg."""
    main, sub = folder / f"{name}-main.mp4", folder / f"{name}-sub.mp4"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", _MOVING if moving else _IDLE]
    for target, options in ((main, _MAIN), (sub, _SUB)):
        command += ["-t", str(seconds), *_ENCODER.split(), *options.split(), str(target)]
    subprocess.run(command, check=True)
    return Footage(main, sub)
