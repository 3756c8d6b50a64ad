"""Who watches a camera, and how. The web says so every few seconds; silence means nobody."""

from __future__ import annotations

import enum

from vigilar_core.bus import topics

#: How long one word of the web is good for, seconds.
WATCH_TTL_S = 10.0
#: How often the web repeats it, seconds.
WATCH_REPEAT_S = 3.0


class Mode(enum.StrEnum):
    """Ways to watch, in the order a browser tries them."""

    FRAGMENTS = "fragments"
    HLS = "hls"
    PICTURES = "pictures"


class Watching:
    """Modes somebody watches in, each until its time is over. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._until: dict[Mode, float] = {}

    def seen(self, mode: Mode, now_s: float) -> None:
        self._until[mode] = now_s + WATCH_TTL_S

    def modes(self, now_s: float) -> frozenset[Mode]:
        return frozenset(mode for mode, until in self._until.items() if until > now_s)


def watch_topic(camera_id: str) -> str:
    return topics.camera(camera_id, "live", "watch")
