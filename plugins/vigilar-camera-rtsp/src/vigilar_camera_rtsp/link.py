"""A source that is opened, read, lost and opened again, for ever."""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING

from vigilar_camera_rtsp.back_off import BackOff
from vigilar_camera_rtsp.cause import Cause, SourceError
from vigilar_camera_rtsp.feed import Feed
from vigilar_camera_rtsp.media_input import MediaInput
from vigilar_camera_rtsp.opening import Opening
from vigilar_camera_rtsp.wall_clock import WallClock
from vigilar_core.clock import Clock
from vigilar_core.media import Packet, Stream

if TYPE_CHECKING:
    import av

log = logging.getLogger(__name__)


class LinkState(enum.StrEnum):
    """How a source is."""

    CONNECTING = "connecting"
    ONLINE = "online"
    OFFLINE = "offline"
    STALLED = "stalled"


class Link:
    """One stream of a camera, whatever happens to it.

    Parameters: `label` names it in the log, free of credentials; `open_input` opens it, in another
    thread.
    """

    def __init__(
        self,
        label: str,
        open_input: Callable[[], MediaInput],
        clock: Clock,
        wall: WallClock,
        back_off: BackOff,
    ) -> None:
        self.label = label
        self.state = LinkState.CONNECTING
        #: Why the source is away; None while it is online or was never tried.
        self.error: SourceError | None = None
        self._open_input = open_input
        self._clock = clock
        self._wall = wall
        self._back_off = back_off
        self._generations = count(1)
        self._opening: Opening | None = None
        self._feed: Feed | None = None
        self._try_at_s = clock.monotonic_s()
        self._began_s = self._try_at_s
        self._online_since_s: float | None = None

    @property
    def streams(self) -> Sequence[Stream]:
        """The present streams; empty while there are none."""
        return self._feed.streams if self._feed is not None else ()

    @property
    def behind(self) -> bool:
        """Whether more is waiting to be read at once."""
        return self._feed is not None and not self._feed.caught_up

    def packets(self) -> Iterator[tuple[Packet, av.VideoFrame | None]]:
        """Do what is due now and yield what has arrived."""
        try:
            self._connect()
            if self._feed is not None:
                for item in self._feed.drain():
                    self._came_online()
                    yield item
        except SourceError as error:
            self._lost(error)

    def close(self) -> None:
        """Let go of the source."""
        if self._opening is not None:
            self._opening.abandon()
            self._opening = None
        if self._feed is not None:
            self._feed.close()
            self._feed = None

    def _connect(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._feed is None and self._opening is None and now_s >= self._try_at_s:
            self._began_s = now_s
            self._opening = Opening(self._open_input)
        if self._opening is not None:
            source = self._opening.result()
            if source is not None:
                self._opening = None
                self._feed = Feed(source, self._clock, self._wall, self._generations)

    def _came_online(self) -> None:
        if self.state is not LinkState.ONLINE:
            self.state, self.error = LinkState.ONLINE, None
            self._online_since_s = self._clock.monotonic_s()
            log.info("%s: online", self.label)

    def _lost(self, error: SourceError) -> None:
        now_s = self._clock.monotonic_s()
        self.close()
        healthy_s = 0.0 if self._online_since_s is None else now_s - self._online_since_s
        silent = error.cause is Cause.NO_PACKETS
        self.state = LinkState.STALLED if silent else LinkState.OFFLINE
        if self.error is None or self.error.cause is not error.cause:
            log.warning("%s: %s: %s", self.label, self.state.value, error)
        self.error, self._online_since_s = error, None
        self._try_at_s = self._back_off.next_try(self._began_s, now_s, healthy_s)
