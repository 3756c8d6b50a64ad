"""The hooks. One instance lives in the plugin's worker; each hook is called in its loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from vigilar_core.alerts import Alert, Delivery, DeliveryOutcome
from vigilar_core.bus import topics
from vigilar_core.config import ConfigSection
from vigilar_core.context import ServiceContext
from vigilar_core.events import Event, EventKind, Severity
from vigilar_core.health import Health
from vigilar_core.hookspecs import hookimpl
from vigilar_core.media import Frame, Motion
from vigilar_hello.settings import HelloSettings

KINDS = (
    EventKind(
        "hello_darkness",
        "vigilar/camera/{camera}/hello/darkness",
        Severity.NOTICE,
        "{camera} sees nothing but darkness",
        "Mean brightness {brightness} of 255",
    ),
    EventKind(
        "hello_daylight",
        "vigilar/camera/{camera}/hello/daylight",
        Severity.INFO,
        "{camera} sees something again",
    ),
)


class HelloPlugin:
    """Writes alerts to a file, notices darkness, counts events."""

    def __init__(self) -> None:
        self._context: ServiceContext | None = None
        self._settings = HelloSettings()
        self._dark: set[str] = set()
        self._seen: Counter[str] = Counter()

    @hookimpl
    def register_config(self) -> Sequence[ConfigSection]:
        return [ConfigSection("hello", HelloSettings)]

    @hookimpl
    def register_event_kinds(self) -> Sequence[EventKind]:
        return KINDS

    @hookimpl
    def service_start(self, context: ServiceContext) -> None:
        self._context = context
        self._settings = context.settings.section(HelloSettings)

    @hookimpl
    def notify(self, alert: Alert) -> Delivery:
        assert self._context is not None, "service_start comes before every other live hook"
        when = datetime.fromtimestamp(alert.time_us / 1e6, UTC).isoformat(timespec="seconds")
        try:
            with self._settings.path(self._context.paths).open("a", encoding="utf-8") as file:
                file.write(f"{when} {alert.severity} {alert.title}: {alert.text}\n")
        except OSError as error:
            # A full disk or a missing folder may be put right: the outbox tries again.
            return Delivery(DeliveryOutcome.TRANSIENT, str(error))
        return Delivery(DeliveryOutcome.DELIVERED)

    @hookimpl
    def on_frame(self, frame: Frame) -> Sequence[Motion] | None:
        assert self._context is not None, "service_start comes before every other live hook"
        brightness = float(frame.pixels.mean())
        dark = brightness < self._settings.dark_below
        if dark != (frame.camera in self._dark):
            self._dark ^= {frame.camera}
            word = "darkness" if dark else "daylight"
            self._context.bus.publish_event(
                topics.camera(frame.camera, "hello", word),
                time_us=frame.time_us,
                brightness=round(brightness, 1),
            )
        return None

    @hookimpl
    def on_motion(self, motion: Motion) -> None:
        self._seen[f"motion_{motion.edge}"] += 1

    @hookimpl
    def on_event(self, event: Event) -> None:
        self._seen[event.kind] += 1

    @hookimpl
    def poll(self, context: ServiceContext) -> None:
        path = self._settings.path(context.paths)
        if path.exists() and path.stat().st_size > self._settings.largest_size_bytes:
            path.replace(path.with_suffix(".old"))

    @hookimpl
    def service_stop(self, context: ServiceContext) -> None:
        with self._settings.path(context.paths).open("a", encoding="utf-8") as file:
            file.write(f"Goodbye after {self._seen.total()} events and edges of motion.\n")

    @hookimpl
    def health_check(self) -> Health:
        return Health(
            figures={
                "seen": float(self._seen.total()),
                "dark_cameras": float(len(self._dark)),
            }
        )


plugin = HelloPlugin()
