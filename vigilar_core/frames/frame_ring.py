"""The frame ring: decoded pictures of one camera for analysers and viewers elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from vigilar_core.frames.ring import RingReader, RingWriter
from vigilar_core.media import Frame

#: Which pictures of a camera a ring holds: luma for analysers, colour for viewers.
FrameKind = Literal["gray8", "bgr24"]


def ring_path(frames_dir: Path, camera: str, kind: FrameKind) -> Path:
    return frames_dir / f"{camera}.{kind}"


class FrameWriter:
    """Writes the frames of one camera.

    :param slots: at least 4, so that a reader has time to copy the newest but one
    """

    def __init__(self, frames_dir: Path, camera: str, kind: FrameKind, *, slots: int = 4) -> None:
        self._ring = RingWriter(ring_path(frames_dir, camera, kind), slots=max(4, slots))

    def write(self, frame: Frame) -> None:
        import numpy as np  # the core stays light until a picture is touched

        pixels = np.ascontiguousarray(frame.pixels)
        note = json.dumps(
            {
                "camera": frame.camera,
                "sequence": frame.sequence,
                "shape": pixels.shape,
                "format": frame.format,
                "key": frame.is_key,
            }
        ).encode()
        self._ring.write(
            pixels.data.cast("B"),
            note=note,
            time_us=frame.time_us,
            monotonic_ns=int(frame.monotonic_s * 1e9),
        )

    def close(self) -> None:
        self._ring.close()


class FrameReader:
    """Reads the newest frame of one camera, skipping what it was too slow for."""

    def __init__(self, frames_dir: Path, camera: str, kind: FrameKind) -> None:
        self._ring = RingReader(ring_path(frames_dir, camera, kind))

    @property
    def skipped(self) -> int:
        return self._ring.skipped

    def latest(self) -> Frame | None:
        """The newest frame, an array of its own; ``None`` when there is no newer one."""
        import numpy as np  # the core stays light until a picture is touched

        entry = self._ring.latest()
        if entry is None:
            return None
        note = json.loads(entry.note)
        return Frame(
            camera=note["camera"],
            sequence=note["sequence"],
            pixels=np.frombuffer(entry.payload, np.uint8).reshape(note["shape"]),
            format=note["format"],
            time_us=entry.time_us,
            monotonic_s=entry.monotonic_ns / 1e9,
            is_key=note["key"],
        )

    def close(self) -> None:
        self._ring.close()
