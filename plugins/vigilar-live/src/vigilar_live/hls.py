"""HLS segments and playlists of one camera (RFC 8216), written only while somebody watches.

A segment is a run of fragments that begins with a key frame. Files are replaced atomically,
so a reader never sees half of one.
"""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path

PLAYLIST = "live.m3u8"
#: Every name that this module writes; nothing else is served.
FILE_NAME = re.compile(r"live\.m3u8|init-\d{1,9}\.mp4|segment-\d{1,9}\.m4s")


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a playlist.

    :param number: media sequence number
    :param generation: number of the init segment it needs
    """

    number: int
    generation: int
    duration_s: float


def playlist(segments: list[Segment], target_s: float) -> str:
    """The media playlist for the given segments, oldest first."""
    longest = max((segment.duration_s for segment in segments), default=target_s)
    first = segments[0].number if segments else 0
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{max(1, math.ceil(longest))}",
        f"#EXT-X-MEDIA-SEQUENCE:{first}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    generation = None
    for segment in segments:
        if segment.generation != generation:
            if generation is not None:
                lines.append("#EXT-X-DISCONTINUITY")
            generation = segment.generation
            lines.append(f'#EXT-X-MAP:URI="init-{generation}.mp4"')
        lines += [f"#EXTINF:{segment.duration_s:.3f},", f"segment-{segment.number}.m4s"]
    return "\n".join(lines) + "\n"


class HlsWriter:
    """Writes the rolling window of one camera.

    :param folder: of this camera alone; emptied on start and on :meth:`close`
    :param segment_s: least length of a segment, seconds
    :param window: segments the playlist keeps; two more stay on disk for slow readers
    """

    def __init__(self, folder: Path, *, segment_s: float, window: int) -> None:
        self._folder = folder
        self._segment_s = segment_s
        self._window = window
        self._kept: deque[Segment] = deque()
        self._pending: list[bytes] = []
        self._pending_s = 0.0
        self._number = self._generation = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._clear()

    def init(self, data: bytes) -> None:
        """A new init segment: parameters changed or the stream began."""
        self._finish()
        self._generation += 1
        self._replace(f"init-{self._generation}.mp4", data)

    def fragment(self, data: bytes, duration_s: float, *, starts_with_key: bool) -> None:
        if starts_with_key and self._pending_s >= self._segment_s - 0.001:
            self._finish()
        if not self._pending and not starts_with_key:
            return
        self._pending.append(data)
        self._pending_s += duration_s

    def close(self) -> None:
        """Nobody watches any more: leave nothing behind."""
        self._clear()
        self._folder.rmdir()

    def _finish(self) -> None:
        if not self._pending:
            return
        self._number += 1
        segment = Segment(self._number, self._generation, self._pending_s)
        self._replace(f"segment-{segment.number}.m4s", b"".join(self._pending))
        self._pending, self._pending_s = [], 0.0
        self._kept.append(segment)
        if len(self._kept) > self._window + 2:
            old = self._kept.popleft()
            (self._folder / f"segment-{old.number}.m4s").unlink(missing_ok=True)
            if all(kept.generation != old.generation for kept in self._kept):
                (self._folder / f"init-{old.generation}.mp4").unlink(missing_ok=True)
        shown = list(self._kept)[-self._window :]
        self._replace(PLAYLIST, playlist(shown, self._segment_s).encode())

    def _replace(self, name: str, data: bytes) -> None:
        new = self._folder / f"{name}.new"
        new.write_bytes(data)
        new.replace(self._folder / name)

    def _clear(self) -> None:
        for path in self._folder.iterdir():
            if FILE_NAME.fullmatch(path.name.removesuffix(".new")):
                path.unlink(missing_ok=True)
