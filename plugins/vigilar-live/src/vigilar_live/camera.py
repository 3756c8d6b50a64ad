"""The camera's side of live pictures: fragments only while somebody watches."""

from __future__ import annotations

from collections.abc import Sequence

from vigilar_core.bus import Message
from vigilar_core.context import CameraContext
from vigilar_core.fragments import Fragmenter, InitSegment, MediaFragment
from vigilar_core.media import Packet, Stream
from vigilar_live.fragment_ring import FragmentWriter
from vigilar_live.hls import HlsWriter
from vigilar_live.options import LiveOptions
from vigilar_live.watching import Mode, Watching, watch_topic

#: Bytes of packets kept since the last key frame, so that a viewer begins at once.
_GROUP_LIMIT_BYTES = 16 << 20


class LiveCamera:
    """Inline plugin object of one camera."""

    def __init__(self, camera: CameraContext) -> None:
        self._camera = camera
        self._options = camera.section(LiveOptions)
        self._watching = Watching()
        self._modes: frozenset[Mode] = frozenset()
        self._streams: Sequence[Stream] = ()
        self._group: list[Packet] = []
        self._group_bytes = 0
        self._outputs = _Outputs(camera, self._options)
        self._fragmenter: Fragmenter | None = None
        camera.bus.subscribe(watch_topic(camera.id), self._watched)

    def on_connected(self, streams: Sequence[Stream]) -> None:
        self._streams = tuple(streams)
        self._forget_group()
        self._fragmenter = None
        self._begin()

    def on_packet(self, packet: Packet) -> None:
        if packet.stream.kind == "video" and packet.is_key:
            self._forget_group()
        self._group.append(packet)
        self._group_bytes += len(packet.data)
        if self._group_bytes > _GROUP_LIMIT_BYTES:
            self._forget_group()
        if self._fragmenter is not None:
            self._fragmenter.packet(packet)

    def on_disconnected(self, reason: str) -> None:
        self._fragmenter = None
        self._forget_group()

    def on_tick(self) -> None:
        modes = self._watching.modes(self._camera.clock.monotonic_s())
        if self._options.hls_always:
            modes |= {Mode.HLS}
        if modes == self._modes:
            return
        self._modes = modes
        self._camera.ask_low_latency(Mode.FRAGMENTS in modes)
        self._camera.ask_colour(Mode.PICTURES in modes)
        self._outputs.choose(fragments=Mode.FRAGMENTS in modes, hls=Mode.HLS in modes)
        # A fragmenter begun for one audience begins anew for a larger one, with an init segment.
        self._fragmenter = None
        self._begin()

    def on_close(self) -> None:
        self._fragmenter = None
        self._outputs.choose(fragments=False, hls=False)

    def _watched(self, message: Message) -> None:
        try:
            mode = Mode(str(message.data.get("mode")))
        except ValueError:
            return
        self._watching.seen(mode, self._camera.clock.monotonic_s())
        self.on_tick()

    def _begin(self) -> None:
        """Start cutting with the packets since the last key frame."""
        if not self._outputs.wanted or not any(s.kind == "video" for s in self._streams):
            return
        self._fragmenter = Fragmenter(
            self._streams, self._outputs, self._options.fragment_ms / 1000
        )
        for packet in self._group:
            self._fragmenter.packet(packet)

    def _forget_group(self) -> None:
        self._group = []
        self._group_bytes = 0


class _Outputs:
    """Where fragments go: the ring for browsers, files for HLS, each only while wanted."""

    def __init__(self, camera: CameraContext, options: LiveOptions) -> None:
        self._camera = camera
        self._options = options
        self._ring: FragmentWriter | None = None
        self._hls: HlsWriter | None = None

    @property
    def wanted(self) -> bool:
        return self._ring is not None or self._hls is not None

    def choose(self, *, fragments: bool, hls: bool) -> None:
        paths = self._camera.paths
        if fragments and self._ring is None:
            self._ring = FragmentWriter(paths.frames_dir, self._camera.id)
        elif not fragments and self._ring is not None:
            self._ring.close()
            self._ring = None
        if hls and self._hls is None:
            self._hls = HlsWriter(
                paths.hls_dir / self._camera.id,
                segment_s=self._options.segment_s,
                window=self._options.segments,
            )
        elif not hls and self._hls is not None:
            self._hls.close()
            self._hls = None

    def init_segment(self, segment: InitSegment) -> None:
        if self._ring is not None:
            self._ring.init(segment.data, segment.mime_type)
        if self._hls is not None:
            self._hls.init(segment.data)

    def fragment(self, fragment: MediaFragment) -> None:
        if self._ring is not None:
            self._ring.fragment(
                fragment.data,
                starts_with_key=fragment.starts_with_key_frame,
                time_us=fragment.time_us,
            )
        if self._hls is not None:
            self._hls.fragment(
                fragment.data,
                fragment.duration_s,
                starts_with_key=fragment.starts_with_key_frame,
            )
