"""Tells the house how a camera's streams are, once for each change."""

from __future__ import annotations

from typing import Any

from vigilar_camera_rtsp import events
from vigilar_camera_rtsp.link import Link, LinkState
from vigilar_core.bus import Bus
from vigilar_core.media import Stream


class Reporter:
    """Publishes the events of one camera.

    Parameters: `name` is what people call the camera, `location` where it looks.
    """

    def __init__(self, bus: Bus, camera_id: str, name: str, location: str) -> None:
        self._bus = bus
        self._id = camera_id
        self._about: dict[str, Any] = {"name": name, "location": location}
        self._main = LinkState.CONNECTING
        self._cause = ""
        self._generation = 0
        self._detect_lost = False

    def main(self, link: Link) -> None:
        """Compare the main stream with what was last said of it."""
        cause = link.error.cause.value if link.error else ""
        if link.state is LinkState.ONLINE:
            self._say_online(link.streams[0] if link.streams else None)
        elif link.state is not self._main and link.error is not None:
            topic = events.stalled if link.state is LinkState.STALLED else events.offline
            self._publish(topic(self._id), cause=cause, reason=str(link.error))
        if (link.state, cause) != (self._main, self._cause):
            self._main, self._cause = link.state, cause
            self._bus.publish_state(
                events.state(self._id), {"state": link.state.value, "cause": cause}, retain=True
            )

    def detect(self, link: Link) -> None:
        """Compare the second stream with what was last said of it."""
        if link.state is LinkState.ONLINE and self._detect_lost and link.streams:
            self._detect_lost = False
            self._publish(events.detect_restored(self._id), **_shape(link.streams[0]))
        elif link.error is not None and not self._detect_lost:
            self._detect_lost = True
            cause = link.error.cause.value
            self._publish(events.detect_lost(self._id), cause=cause, reason=str(link.error))

    def _say_online(self, video: Stream | None) -> None:
        if video is None:
            return
        if self._main is not LinkState.ONLINE:
            self._publish(events.online(self._id), **_shape(video))
        elif video.generation != self._generation:
            self._publish(events.stream_changed(self._id), **_shape(video))
        self._generation = video.generation

    def _publish(self, topic: str, **fields: Any) -> None:
        self._bus.publish_event(topic, **self._about, **fields)


def _shape(video: Stream) -> dict[str, Any]:
    return {"codec": video.codec, "width": video.width, "height": video.height}
