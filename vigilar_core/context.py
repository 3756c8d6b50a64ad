"""What a service and a camera's inline plugins are given to work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from vigilar_core.bus import Bus
from vigilar_core.clock import Clock
from vigilar_core.config import Settings, SettingsModel
from vigilar_core.events import EventCatalogue
from vigilar_core.media import Frame, Motion, Packet, Stream
from vigilar_core.paths import Paths

Model = TypeVar("Model", bound=SettingsModel)


@dataclass(frozen=True, slots=True)
class Service:
    """One unit of work that the supervisor keeps running.

    :param name: unique: the plugin's name, or ``camera:front_door`` for one of many
    :param plugin: filled in by the core
    :param beat_timeout_s: its loop must beat within this time or is restarted
    :param preload: modules worth importing once, before workers are forked
    :param inline: whether inline plugins (``camera_attach``) run in its process
    :param hosts: hooks of other plugins that it calls: these plugins are imported there too
    :param poll_interval_s: pause between calls of ``poll`` when it has no ``service_run``
    """

    name: str
    plugin: str = ""
    beat_timeout_s: float = 10.0
    preload: Sequence[str] = ()
    inline: bool = False
    hosts: Sequence[str] = ()
    poll_interval_s: float = 1.0


class ServiceContext(Protocol):
    """The surroundings of a running service."""

    service: Service
    settings: Settings
    bus: Bus
    clock: Clock
    catalogue: EventCatalogue
    paths: Paths

    @property
    def stopping(self) -> bool:
        """Whether the service was asked to end."""

    def wait(self, timeout_s: float) -> bool:
        """Beat, deliver waiting messages, and sleep until one comes or the time is over.

        The loop of a service calls this at least every few seconds; nothing else beats for it.

        :param timeout_s: 0 delivers what is there and returns at once
        :returns: ``False`` once the service shall end
        """

    def hosted(self, hook: str) -> Mapping[str, Callable[..., Any]]:
        """The hook as other plugins implement it, by their names; a call may raise anything.

        :param hook: one of ``Service.hosts``; arguments are given by name
        """

    def storage_key(self) -> bytes:
        """The 32 bytes that recordings are encrypted with.

        :raises NotReadyError: there is no key file
        """

    def camera(self, camera_id: str) -> CameraHost:
        """The host of a camera's inline plugins; for sources, once per camera."""


class CameraContext(Protocol):
    """What an inline plugin knows of the camera it is attached to."""

    id: str
    display_name: str
    bus: Bus
    clock: Clock
    paths: Paths

    def settings(self, model: type[Model]) -> Model:
        """The camera's own keys as declared by ``model`` for ``cameras``."""

    def section(self, model: type[Model]) -> Model:
        """A section of the whole configuration."""

    def storage_key(self) -> bytes:
        """The 32 bytes that recordings are encrypted with.

        :raises NotReadyError: there is no key file
        """

    @property
    def streams(self) -> Sequence[Stream]:
        """The streams the camera sends now; empty before the first connection."""

    def ask_low_latency(self, wanted: bool) -> None:
        """Ask the source to drain in short ticks while somebody watches."""

    def ask_analysis_fps(self, fps: float | None) -> None:
        """Ask for this rate of ``on_frame``; ``None``: idle. The source caps it."""

    def ask_colour(self, wanted: bool) -> None:
        """Ask for colour pictures in the frame ring, for viewers of single pictures."""


class CameraHost(Protocol):
    """The source's side of a camera: it hands over packets and frames, the host does the rest."""

    id: str

    def connected(self, streams: Sequence[Stream]) -> None:
        """The source delivers these streams from now on; again after each change of them."""

    def packet(self, packet: Packet) -> None:
        """Hand a packet to every inline ``on_packet``."""

    def frame(self, frame: Frame) -> None:
        """Hand a frame to every ``on_frame``, pass motion on, fill the frame ring."""

    def disconnected(self, reason: str) -> None:
        """The source lost the camera; inline plugins finish what they have open."""

    def tick(self) -> None:
        """Called once each turn of the source's loop, also while the camera is away."""

    def close(self) -> None:
        """The service ends: inline plugins seal and release what they hold."""

    @property
    def analysis_fps(self) -> float | None:
        """The rate the analysers ask for; ``None``: idle."""

    @property
    def low_latency(self) -> bool:
        """Whether somebody watches who wants short ticks."""

    @property
    def colour(self) -> bool:
        """Whether somebody asks for colour pictures."""

    def colour_frame(self, frame: Frame) -> None:
        """Put a colour picture into the frame ring."""


class InlineCamera(Protocol):
    """What ``camera_attach`` returns: an object with any of these methods, all optional.

    ``on_connected(streams)``, ``on_packet(packet)``, ``on_frame(frame) -> Sequence[Motion]``,
    ``on_motion(motion)``, ``on_disconnected(reason)``, ``on_tick()``, ``on_close()``.
    Called in the camera's own loop; a call must return within a few milliseconds.
    """

    on_motion: Callable[[Motion], None]
