"""An open source turned into packets as the contracts want them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from vigilar_camera_rtsp import parameter_sets as sets
from vigilar_camera_rtsp.cause import Cause, SourceError
from vigilar_camera_rtsp.live_edge import LiveEdge
from vigilar_camera_rtsp.media_input import MediaInput, Track, Unit
from vigilar_camera_rtsp.picture import picture_size
from vigilar_camera_rtsp.stream_clock import StreamClock
from vigilar_camera_rtsp.wall_clock import WallClock
from vigilar_core.clock import Clock
from vigilar_core.media import Packet, Stream

if TYPE_CHECKING:
    import av

#: A drain ends after this long, so that the service's loop stays alive.
LONGEST_DRAIN_S = 0.25
#: A camera whose picture cannot be decoded for this long is reported.
FIRST_PICTURE_S = 15.0
#: The first packets are held until the live edge shows how late they are; at most so many.
_MOST_HELD = 600
_LONGEST_HELD_S = 1.0
#: Times count from so long before the connection, because a server may begin with older packets.
_ROOM_S = 30.0


class Arrival(NamedTuple):
    """A unit and the monotonic second at which it was read."""

    unit: Unit
    at_s: float


class Feed:
    """One connection of a camera.

    Parameters: `source` is open; `generations` numbers the streams over all connections; `wall`
    is shared by all feeds of a camera.
    """

    def __init__(
        self, source: MediaInput, clock: Clock, wall: WallClock, generations: count[int]
    ) -> None:
        self._source = source
        self._clock = clock
        self._wall = wall
        self._generations = generations
        self._edge = LiveEdge()
        self._tick_s = float(source.tracks[0].time_base)
        self._opened_s = clock.monotonic_s()
        origin_s = self._opened_s - _ROOM_S
        self._clocks = [StreamClock(track.time_base, origin_s) for track in source.tracks]
        self._held: list[Arrival] | None = None if source.paced else []
        self._parameters = _parameters_of(source.tracks[0])
        #: The streams as last announced; empty until the first picture could be decoded.
        self.streams: Sequence[Stream] = ()
        #: Whether the last drain read up to the present.
        self.caught_up = True

    def drain(self) -> Iterator[tuple[Packet, av.VideoFrame | None]]:
        """Yield what has arrived, with the picture where the source had decoded it.

        `streams` is that of the packet at the moment it is yielded. Raises SourceError when the
        connection is over.
        """
        began_s = now_s = self._clock.monotonic_s()
        self._edge.begin(now_s)
        while now_s - began_s < LONGEST_DRAIN_S and self._may_read(now_s):
            unit = self._source.read()
            after_s = self._clock.monotonic_s()
            self._take_rhythm(unit, after_s, after_s - now_s)
            if self._held is None:
                if (packet := self._to_packet(unit, after_s)) is not None:
                    yield packet, unit.picture
            else:
                yield from self._release(Arrival(unit, after_s))
            now_s = self._clock.monotonic_s()
        self._follow(self._edge.end(now_s), now_s, self._edge.interval_s or 0.0)
        self.caught_up = now_s - began_s < LONGEST_DRAIN_S

    def close(self) -> None:
        """Close the connection."""
        self._source.close()

    def _may_read(self, now_s: float) -> bool:
        if self._held:
            # The first packets are read until a read must wait: that one came without delay.
            return not self._edge.reached
        return (self._source.paced or self._edge.expects(now_s)) and self._source.ready(now_s)

    def _take_rhythm(self, unit: Unit, after_s: float, waited_s: float) -> None:
        if unit.track != 0 or unit.dts is None or self._source.paced:
            return
        media_s = unit.dts * self._tick_s
        self._follow(self._edge.observe(media_s, after_s, waited_s), after_s, 0.0)

    def _follow(self, lag_s: float | None, now_s: float, doubt_s: float) -> None:
        """Let all clocks follow the live edge of the video."""
        if lag_s is None or self._held is not None:
            return
        moved_s = self._clocks[0].follow(lag_s, now_s, doubt_s)
        for clock in self._clocks[1:]:
            clock.accompany(moved_s)

    def _release(self, arrival: Arrival) -> Iterator[tuple[Packet, av.VideoFrame | None]]:
        """Hold the first packets until their delay is known."""
        assert self._held is not None
        self._held.append(arrival)
        held_s = arrival.at_s - self._held[0].at_s
        if not (self._edge.reached or len(self._held) >= _MOST_HELD or held_s >= _LONGEST_HELD_S):
            return
        held, self._held = self._held, None
        for unit, at_s in self._anchored(held):
            if (packet := self._to_packet(unit, at_s)) is not None:
                yield packet, unit.picture

    def _anchored(self, held: list[Arrival]) -> list[Arrival]:
        completed: dict[int, list[tuple[int, int]]] = {}
        for track, clock in enumerate(self._clocks):
            own = [arrival for arrival in held if arrival.unit.track == track]
            clock.anchor((arrival.unit.dts, arrival.at_s) for arrival in own)
            completed[track] = clock.fill_first([(a.unit.pts, a.unit.dts) for a in own])
        times = {track: iter(pairs) for track, pairs in completed.items()}
        return [Arrival(_with_times(a.unit, *next(times[a.unit.track])), a.at_s) for a in held]

    def _to_packet(self, unit: Unit, at_s: float) -> Packet | None:
        if unit.track == 0 and unit.is_key:
            self._follow_parameters(unit)
        if not self.streams:
            if at_s - self._opened_s > FIRST_PICTURE_S:
                raise SourceError(Cause.NO_PICTURE)
            return None
        stamp = self._clocks[unit.track].stamp(unit.pts, unit.dts, at_s)
        return Packet(
            stream=self.streams[unit.track],
            data=unit.data,
            pts=stamp.pts,
            dts=stamp.dts,
            duration=max(0, unit.duration),
            is_key=unit.is_key,
            time_us=self._wall.time_us(stamp.monotonic_s),
            monotonic_s=stamp.monotonic_s,
        )

    def _follow_parameters(self, unit: Unit) -> None:
        """Start a new generation of streams when the camera's parameters are others than before."""
        codec = self._source.tracks[0].codec
        parameters = sets.merge(self._parameters, sets.parameter_sets(codec, unit.data))
        if self.streams and parameters == self._parameters:
            return
        self._parameters = parameters
        extradata = sets.extradata(codec, parameters)
        size = picture_size(codec, extradata, unit.data)
        if size is None:
            self.streams = ()
            return
        generation = next(self._generations)
        self.streams = tuple(
            _stream(number, track, generation, extradata, size)
            for number, track in enumerate(self._source.tracks)
        )


def _parameters_of(track: Track) -> sets.ParameterSets:
    return sets.parameter_sets(track.codec, track.extradata)


def _with_times(unit: Unit, pts: int, dts: int) -> Unit:
    return Unit(unit.track, unit.data, pts, dts, unit.duration, unit.is_key, unit.picture)


def _stream(
    number: int, track: Track, generation: int, extradata: bytes, size: tuple[int, int]
) -> Stream:
    if track.kind == "video":
        return Stream(
            number,
            "video",
            track.codec,
            track.time_base,
            extradata,
            width=size[0],
            height=size[1],
            generation=generation,
        )
    return Stream(
        number,
        "audio",
        track.codec,
        track.time_base,
        track.extradata,
        sample_rate_hz=track.sample_rate_hz,
        channels=track.channels,
        generation=generation,
    )
