"""How each camera is, out of its heartbeats and of what happened last."""

from __future__ import annotations

import enum
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

from vigilar_core.bus import Bus, Message, topics
from vigilar_core.clock import Clock
from vigilar_core.events import Event

#: A camera whose worker says nothing for so long counts as silent.
SILENT_AFTER_S = 20.0


class CameraPhase(enum.StrEnum):
    """What a person wants to know of a camera at a glance."""

    UNKNOWN = "unknown"
    ONLINE = "online"
    OFFLINE = "offline"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class CameraState:
    """A camera as last heard of.

    :param moving: between the start and the end of a motion
    :param heard_s: of the last heartbeat, monotonic clock
    """

    phase: CameraPhase = CameraPhase.UNKNOWN
    moving: bool = False
    heard_s: float = 0.0


class CameraStates:
    """Listens on the bus; read by the pages' threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._states: dict[str, CameraState] = {}

    def listen(self, bus: Bus) -> None:
        bus.subscribe(f"{topics.ALL_CAMERAS.removesuffix('#')}+/heartbeat", self._heartbeat)

    def all(self) -> Mapping[str, CameraState]:
        """State by id of camera; a camera never heard of is not in it."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            states = dict(self._states)
        return {
            id: replace(state, phase=CameraPhase.SILENT, moving=False)
            if state.phase is not CameraPhase.UNKNOWN and now_s - state.heard_s > SILENT_AFTER_S
            else state
            for id, state in states.items()
        }

    def of(self, camera_id: str) -> CameraState:
        return self.all().get(camera_id, CameraState())

    def note(self, event: Event) -> None:
        """Take an event of motion into account."""
        if event.kind not in ("motion_start", "motion_end"):
            return
        camera_id = event.subject.partition("/")[2]
        with self._lock:
            state = self._states.get(camera_id, CameraState())
            self._states[camera_id] = replace(state, moving=event.kind == "motion_start")

    def _heartbeat(self, message: Message) -> None:
        camera_id = message.topic.split("/")[2]
        online = message.data.get("online") is True
        phase = CameraPhase.ONLINE if online else CameraPhase.OFFLINE
        with self._lock:
            state = self._states.get(camera_id, CameraState())
            self._states[camera_id] = CameraState(
                phase, state.moving and online, self._clock.monotonic_s()
            )
