"""Events: what happened, what kinds of happening exist, and how a topic becomes a kind."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: An event caused by an event caused by … : longer chains than this are dropped as loops.
MAX_HOPS = 8


class Severity(enum.StrEnum):
    """How much an event matters to the people in the house, in rising order."""

    DEBUG = "debug"
    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, once, at a moment.

    :param id: unique, 32 hexadecimal digits, ascending with time (UUID version 7, RFC 9562)
    :param kind: name of its :class:`EventKind`, such as ``motion_start``
    :param topic: the topic it was published on
    :param subject: what it is about: ``camera/front_door``, ``sensor/hall``, ``ups``
    :param source: the service that published it, such as ``camera:front_door``
    :param time_us: when it happened, microseconds since 1970 UTC
    :param data: JSON-compatible fields of its kind
    :param sequence: the ledger's number, strictly rising; ``None`` until committed
    :param caused_by: id of the event it follows from
    :param hops: length of that chain, 0 for an event from outside
    """

    id: str
    kind: str
    topic: str
    subject: str
    source: str
    time_us: int
    severity: Severity
    data: Mapping[str, Any]
    sequence: int | None = None
    caused_by: str | None = None
    hops: int = 0


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event that a plugin declares.

    :param name: lower case with underscores, unique in the installation
    :param topic: the topic it travels on, placeholders in braces each matching one level:
        ``vigilar/camera/{camera}/motion/start``
    :param severity: how much it matters
    :param title: one line for people; placeholders are the topic's and the data's names
    :param text: a sentence more, same placeholders
    :param timeline: whether the timeline shows it unless asked for everything
    """

    name: str
    topic: str
    severity: Severity
    title: str
    text: str = ""
    timeline: bool = True


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def subject_of(topic: str) -> str:
    """What a topic is about: ``vigilar/camera/hall/motion/start`` → ``camera/hall``."""
    levels = topic.split("/")[1:]
    return "/".join(levels[:2]) if levels[0] in ("camera", "sensor", "service") else levels[0]


@dataclass
class EventCatalogue:
    """All declared kinds: topic → kind, event → words.

    :raises ValueError: two kinds share a name or a topic
    """

    kinds: dict[str, EventKind] = field(default_factory=dict)
    _exact: dict[str, EventKind] = field(default_factory=dict, repr=False)
    _patterns: list[tuple[re.Pattern[str], EventKind]] = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, kinds: Iterable[EventKind]) -> EventCatalogue:
        catalogue = cls()
        for kind in kinds:
            catalogue.add(kind)
        return catalogue

    def add(self, kind: EventKind) -> None:
        shape = re.sub(r"\{\w+\}", "{}", kind.topic)
        if kind.name in self.kinds:
            raise ValueError(f"event kind {kind.name!r} is declared twice")
        if any(re.sub(r"\{\w+\}", "{}", other.topic) == shape for other in self.kinds.values()):
            raise ValueError(f"topic {kind.topic!r} is declared by two event kinds")
        self.kinds[kind.name] = kind
        if "{" not in kind.topic:
            self._exact[kind.topic] = kind
            return
        parts = re.split(r"\{(\w+)\}", kind.topic)
        pattern = "".join(
            f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
        self._patterns.append((re.compile(pattern), kind))

    def classify(self, topic: str) -> EventKind | None:
        """The kind that travels on a topic; ``None`` when nobody declared it."""
        if (kind := self._exact.get(topic)) is not None:
            return kind
        for pattern, kind in self._patterns:
            if pattern.fullmatch(topic):
                return kind
        return None

    def describe(self, event: Event) -> tuple[str, str]:
        """Title and text of an event in words; missing placeholders become ``?``."""
        kind = self.kinds.get(event.kind)
        if kind is None:
            return event.kind.replace("_", " "), ""
        values = _Blank(event.data)
        for pattern, declared in self._patterns:
            if declared is kind and (match := pattern.fullmatch(event.topic)):
                values = _Blank({**match.groupdict(), **event.data})
        return _fill(kind.title, values), _fill(kind.text, values)


def _fill(template: str, values: _Blank) -> str:
    """Plain ``{name}`` substitution; ``str.format`` would let a template reach attributes."""
    return re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), template)
