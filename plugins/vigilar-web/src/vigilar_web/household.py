"""The house as people know it: its name, its clock, its cameras, and what happened in words."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vigilar_core.clock import Clock
from vigilar_core.config import Camera, Settings
from vigilar_core.config.core import System
from vigilar_core.events import Event, EventCatalogue, Severity

_ICONS: Sequence[tuple[str, str]] = (
    ("motion", "person-walking"),
    ("light", "brightness-high"),
    ("view_changed", "eye-slash"),
    ("camera", "camera-video"),
    ("picture", "image"),
    ("recording", "film"),
    ("service", "gear"),
    ("plugin", "puzzle"),
    ("web", "person-circle"),
    ("arm", "shield-lock"),
    ("sensor", "door-open"),
    ("ups", "plug"),
    ("disk", "hdd"),
    ("alert", "bell"),
)
_BY_SEVERITY: Mapping[Severity, str] = {
    Severity.WARNING: "exclamation-triangle",
    Severity.CRITICAL: "exclamation-octagon",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in the house's time zone.

    :param iso: RFC 3339, for machines
    :param day: ISO date, to group by
    :param clock_time: hours, minutes, seconds
    :param full: date and time, for tool tips
    """

    iso: str
    day: str
    clock_time: str
    full: str


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as people read it.

    :param camera: id of the camera it is about, empty when it is about something else
    """

    event: Event
    title: str
    text: str
    icon: str
    camera: str
    camera_title: str
    moment: Moment

    @property
    def severity(self) -> Severity:
        return self.event.severity

    def document(self) -> dict[str, Any]:
        """The event for programs."""
        event = self.event
        return {
            "sequence": event.sequence,
            "id": event.id,
            "kind": event.kind,
            "severity": event.severity.value,
            "subject": event.subject,
            "camera": self.camera or None,
            "source": event.source,
            "time_us": event.time_us,
            "time": self.moment.iso,
            "title": self.title,
            "text": self.text,
            "data": dict(event.data),
            "caused_by": event.caused_by,
        }


class Household:
    """Puts times and events into this household's words."""

    def __init__(self, settings: Settings, catalogue: EventCatalogue, clock: Clock) -> None:
        system = settings.section(System)
        self.name = system.name
        self.time_zone = zoneinfo.ZoneInfo(system.timezone)
        self.cameras: Mapping[str, str] = {
            id: settings.item("cameras", id, Camera).display_name or id
            for id in settings.items("cameras")
        }
        self._catalogue = catalogue
        self._clock = clock

    def moment(self, time_us: int) -> Moment:
        """A moment, microseconds since 1970 UTC; out of the calendar counts as its edge."""
        utc = datetime.UTC
        try:
            at = datetime.datetime.fromtimestamp(time_us // 1_000_000, utc)
            at = at.astimezone(self.time_zone)
        except (OverflowError, ValueError, OSError):
            at = datetime.datetime.fromtimestamp(0, utc)
        return Moment(
            at.isoformat(timespec="seconds"),
            at.date().isoformat(),
            at.strftime("%H:%M:%S"),
            f"{at:%A} {at.day} {at:%B %Y, %H:%M:%S} {at.tzname()}",
        )

    def day_title(self, day: str) -> str:
        """A heading for a day: Today, Yesterday, or its name."""
        today = datetime.date.fromisoformat(self.moment(self._clock.time_us()).day)
        date = datetime.date.fromisoformat(day)
        if date == today:
            return "Today"
        if date == today - datetime.timedelta(days=1):
            return "Yesterday"
        year = "" if date.year == today.year else f" {date.year}"
        return f"{date:%A} {date.day} {date:%B}{year}"

    def start_of_day_us(self, day: datetime.date) -> int:
        """When a day of this house begins, microseconds since 1970 UTC."""
        midnight = datetime.datetime.combine(day, datetime.time(), self.time_zone)
        return int(midnight.timestamp()) * 1_000_000

    def happening(self, event: Event) -> Happening:
        camera = camera_of(event)
        title_of_camera = self.cameras.get(camera, camera)
        words = {name: _in_words(value) for name, value in event.data.items()}
        if camera:
            words["camera"] = title_of_camera
        title, text = self._catalogue.describe(replace(event, data=words))
        if self._has_hole(event, words):
            text = ""
        return Happening(
            event, title, text, _icon(event), camera, title_of_camera, self.moment(event.time_us)
        )

    def _has_hole(self, event: Event, words: Mapping[str, str]) -> bool:
        """Whether the text speaks of a field that is empty, and so would say nothing."""
        kind = self._catalogue.kinds.get(event.kind)
        names = re.findall(r"\{(\w+)\}", kind.text) if kind else ()
        return any(words.get(name) == "" for name in names)

    def kind_title(self, name: str) -> str:
        """A kind of event as a choice in a filter."""
        return name.replace("_", " ").capitalize()


def camera_of(event: Event) -> str:
    """Id of the camera an event is about, else empty."""
    kind, _, id = event.subject.partition("/")
    return id if kind == "camera" else ""


def _in_words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_in_words(each) for each in value)
    if isinstance(value, float):
        return f"{value:.1f}"
    return "" if value is None else str(value)


def _icon(event: Event) -> str:
    for beginning, icon in _ICONS:
        if event.kind.startswith(beginning):
            return icon
    return _BY_SEVERITY.get(event.severity, "circle")
