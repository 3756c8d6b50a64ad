"""One camera's life: read, hand over, look, report, in one thread."""

from __future__ import annotations

from collections.abc import Callable

from vigilar_camera_rtsp.address import Address
from vigilar_camera_rtsp.analysis import Analysis
from vigilar_camera_rtsp.back_off import BackOff
from vigilar_camera_rtsp.link import Link, LinkState
from vigilar_camera_rtsp.media_input import MediaInput
from vigilar_camera_rtsp.opening import open_source
from vigilar_camera_rtsp.reporter import Reporter
from vigilar_camera_rtsp.settings import CameraSource
from vigilar_camera_rtsp.wall_clock import WallClock
from vigilar_core.clock import Clock
from vigilar_core.context import CameraHost
from vigilar_core.health import Health, HealthState

#: Seconds between two looks at the sockets: while key frames alone are looked at, which come a
#: second or more apart, while idle, during motion, with a low-latency viewer.
KEY_FRAME_TICK_S = 0.4
IDLE_TICK_S = 0.2
BUSY_TICK_S = 0.1
LOW_LATENCY_TICK_S = 0.02

Opener = Callable[[Address], MediaInput]


class CameraLoop:
    """Drains the camera's streams, whose owner calls `turn` and then sleeps as long as it says.

    Parameters: `opener` opens an address; by default the source that the address names.
    """

    def __init__(
        self,
        host: CameraHost,
        settings: CameraSource,
        clock: Clock,
        reporter: Reporter,
        opener: Opener | None = None,
    ) -> None:
        self._host = host
        self._clock = clock
        self._settings = settings
        self._reporter = reporter
        self._opener = opener or (lambda a: open_source(a, settings, clock.monotonic_s))
        self._wall = WallClock(clock.monotonic_s(), clock.time_us())
        self._analysis = Analysis(host, settings)
        self._main = self._link(settings.main_address)
        detect = settings.detect_address
        self._detect = None if detect is None else self._link(detect)
        self._generation = 0
        self._looks_at_detect = False
        self._packets = 0

    def turn(self) -> None:
        """Do all that is due now."""
        self._wall.update(self._clock.monotonic_s(), self._clock.time_us())
        self._drain_main()
        if self._detect is not None:
            self._drain_detect(self._detect)
        self._host.tick()

    def pause_s(self) -> float:
        """Seconds until the next turn; all cameras turn on one grid and share wake-ups."""
        if self._main.behind or (self._detect is not None and self._detect.behind):
            return 0.0
        tick_s = self._tick_s()
        return tick_s - self._clock.monotonic_s() % tick_s

    def close(self) -> None:
        """Let go of the camera and of the host."""
        self._main.close()
        if self._detect is not None:
            self._detect.close()
        self._host.close()

    def health(self) -> Health:
        """How the camera is, in words and figures."""
        figures = {
            "packets": float(self._packets),
            "decoded_packets": float(self._analysis.decoded_count),
        }
        if self._main.state is not LinkState.ONLINE:
            reason = str(self._main.error) if self._main.error else "it is being connected"
            fix = "Check the camera's power, network and address." if self._main.error else ""
            state = HealthState.FAILED if self._main.error else HealthState.DEGRADED
            return Health(state, reason, fix, figures)
        if self._detect is not None and self._detect.error is not None:
            reason = f"second stream: {self._detect.error}"
            return Health(HealthState.DEGRADED, reason, "Check detect_url.", figures)
        return Health(figures=figures)

    def _tick_s(self) -> float:
        if self._host.low_latency:
            return LOW_LATENCY_TICK_S
        if self._analysis.busy or self._host.colour:
            return BUSY_TICK_S
        # A camera that is being connected is looked after at the usual pace.
        rests = self._analysis.keys_only and self._main.state is LinkState.ONLINE
        return KEY_FRAME_TICK_S if rests else IDLE_TICK_S

    def _link(self, address: Address) -> Link:
        return Link(
            f"camera {self._host.id} {address.label}",
            lambda: self._opener(address),
            self._clock,
            self._wall,
            BackOff(self._settings.rtsp_reconnect_s),
        )

    def _drain_main(self) -> None:
        was_online = self._main.state is LinkState.ONLINE
        for packet, picture in self._main.packets():
            if packet.stream.generation != self._generation:
                self._generation = packet.stream.generation
                self._host.connected(self._main.streams)
                self._reporter.main(self._main)
            self._packets += 1
            self._host.packet(packet)
            if packet.stream.kind == "video" and not self._looks_at_detect:
                self._analysis.packet(packet, picture)
        if was_online and self._main.state is not LinkState.ONLINE:
            self._host.disconnected(str(self._main.error))
        self._reporter.main(self._main)

    def _drain_detect(self, link: Link) -> None:
        for packet, picture in link.packets():
            if packet.stream.kind != "video":
                continue
            if not self._looks_at_detect and packet.is_key:
                self._look_at(detect=True)
            if self._looks_at_detect:
                self._analysis.packet(packet, picture)
        if self._looks_at_detect and link.state is not LinkState.ONLINE:
            self._look_at(detect=False)
        self._reporter.detect(link)

    def _look_at(self, detect: bool) -> None:
        self._looks_at_detect = detect
        self._analysis.switch()
