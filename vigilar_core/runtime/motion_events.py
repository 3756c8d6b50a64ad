"""Edges of motion as events and back: topic and fields, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vigilar_core.bus import Bus, topics
from vigilar_core.clock import Clock
from vigilar_core.events import Event
from vigilar_core.media import Box, Motion, MotionKind


def topic_of(motion: Motion) -> str:
    """``…/motion/start`` for motion, ``…/scene/light_change/start`` for the other kinds."""
    if motion.kind is MotionKind.MOTION:
        return topics.camera(motion.camera, "motion", motion.edge)
    return topics.camera(motion.camera, "scene", motion.kind.value, motion.edge)


def publish(bus: Bus, motion: Motion) -> str:
    """Publish an edge as an event and return the event's id.

    Fields: ``confidence`` 0.0–1.0, ``zones`` names, ``boxes`` each ``[x, y, width, height]``
    in relative coordinates.
    """
    return bus.publish_event(
        topic_of(motion),
        time_us=motion.time_us,
        confidence=round(motion.confidence, 4),
        zones=list(motion.zones),
        boxes=[_numbers(box) for box in motion.boxes],
    )


def motion_of(event: Event, clock: Clock) -> Motion | None:
    """The edge that an event speaks of; ``None`` for any other event."""
    levels = event.topic.split("/")
    match levels:
        case ["vigilar", "camera", camera, "motion", ("start" | "end") as edge]:
            kind = MotionKind.MOTION
        case ["vigilar", "camera", camera, "scene", name, ("start" | "end") as edge]:
            if name not in set(MotionKind):
                return None
            kind = MotionKind(name)
        case _:
            return None
    age_s = (clock.time_us() - event.time_us) / 1e6
    return Motion(
        camera=camera,
        kind=kind,
        edge="start" if edge == "start" else "end",
        time_us=event.time_us,
        monotonic_s=clock.monotonic_s() - age_s,
        confidence=float(event.data.get("confidence", 1.0)),
        zones=tuple(str(zone) for zone in event.data.get("zones", ())),
        boxes=_boxes(event.data.get("boxes", ())),
    )


def _numbers(box: Box) -> list[float]:
    return [round(value, 4) for value in (box.x, box.y, box.width, box.height)]


def _boxes(values: Sequence[Any]) -> tuple[Box, ...]:
    return tuple(Box(*map(float, value)) for value in values if len(value) == 4)
