"""The surroundings of a running service: its loop's heartbeat, bus, and wish to end."""

from __future__ import annotations

import logging
import select
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from vigilar_core.bus import Bus
from vigilar_core.clock import Clock
from vigilar_core.config import Settings
from vigilar_core.context import CameraHost, Service
from vigilar_core.events import EventCatalogue
from vigilar_core.paths import Paths

#: The longest a loop sleeps without a beat, seconds; a fifth of the shortest sensible time-out.
LONGEST_SLEEP_S = 1.0

log = logging.getLogger(__name__)


class ServiceBus(Bus, Protocol):
    """The bus as the owner of a loop uses it."""

    def deliver(self) -> object:
        """Hand waiting messages to their handlers; returns at once."""

    def fileno(self) -> int:
        """Readable when :meth:`deliver` has something to do."""


class WorkerContext:
    """Implements :class:`vigilar_core.context.ServiceContext`.

    :param stop: a descriptor that becomes readable, and stays so, when the service shall end
    :param beat: tells the supervisor that this loop is alive
    :param cameras: makes the host of a camera
    :param hosted: a hook as the other plugins of this process implement it, by their names
    """

    def __init__(
        self,
        *,
        service: Service,
        settings: Settings,
        bus: ServiceBus,
        clock: Clock,
        catalogue: EventCatalogue,
        paths: Paths,
        stop: int,
        beat: Callable[[], None],
        key: Callable[[], bytes],
        cameras: Callable[[str, Bus], CameraHost],
        hosted: Callable[[str], Mapping[str, Callable[..., Any]]],
    ) -> None:
        self.service = service
        self.settings = settings
        self.bus: Bus = bus
        self.clock = clock
        self.catalogue = catalogue
        self.paths = paths
        self._hosted = hosted
        #: Called once each turn of the loop, such as a due health check.
        self.chores: list[Callable[[], None]] = []
        self._own_bus = bus
        self._beat = beat
        self._key = key
        self._cameras = cameras
        self._hosts: dict[str, CameraHost] = {}
        self._stop = stop
        self._stopping = False
        self._poll = select.poll()
        self._poll.register(stop, select.POLLIN)
        self._bus_descriptor = -1

    @property
    def stopping(self) -> bool:
        return self._stopping

    def wait(self, timeout_s: float) -> bool:
        deadline_s = self.clock.monotonic_s() + timeout_s
        while not self._stopping:
            self._turn()
            remaining_s = deadline_s - self.clock.monotonic_s()
            ready = self._sleep(min(max(remaining_s, 0.0), LONGEST_SLEEP_S))
            if self._stop in ready:
                self._stopping = True
            elif ready:
                self._own_bus.deliver()
                break
            elif remaining_s <= LONGEST_SLEEP_S:
                break
        self._beat()
        return not self._stopping

    def _turn(self) -> None:
        self._beat()
        self._own_bus.deliver()
        for chore in self.chores:
            chore()

    def _sleep(self, timeout_s: float) -> list[int]:
        descriptor = self._own_bus.fileno()
        if descriptor != self._bus_descriptor:  # the bus may open another one
            if self._bus_descriptor >= 0:
                self._poll.unregister(self._bus_descriptor)
            self._poll.register(descriptor, select.POLLIN)
            self._bus_descriptor = descriptor
        return [ready for ready, _ in self._poll.poll(timeout_s * 1000)]

    def hosted(self, hook: str) -> Mapping[str, Callable[..., Any]]:
        if hook not in self.service.hosts:
            raise ValueError(f"service {self.service.name!r} does not host {hook}")
        return self._hosted(hook)

    def storage_key(self) -> bytes:
        return self._key()

    def camera(self, camera_id: str) -> CameraHost:
        if camera_id in self._hosts:
            raise ValueError(f"the camera {camera_id!r} has a host already")
        self._hosts[camera_id] = host = self._cameras(camera_id, self.bus)
        return host
