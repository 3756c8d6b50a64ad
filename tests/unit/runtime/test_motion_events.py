from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_core.events import EventKind, Severity
from vigilar_core.media import Box, Motion, MotionKind
from vigilar_core.runtime import motion_events
from vigilar_core.testing import FakeBus, FakeClock

KINDS = [
    EventKind(f"motion_{edge}", f"vigilar/camera/{{camera}}/motion/{edge}", Severity.INFO, "Motion")
    for edge in ("start", "end")
] + [
    EventKind(
        f"{kind}_{edge}",
        f"vigilar/camera/{{camera}}/scene/{kind}/{edge}",
        Severity.WARNING,
        "Scene",
    )
    for kind in set(MotionKind) - {MotionKind.MOTION}
    for edge in ("start", "end")
]

unit = st.integers(0, 10_000).map(lambda value: value / 10_000)
motions = st.builds(
    Motion,
    camera=st.sampled_from(["hall", "front_door", "c-3"]),
    kind=st.sampled_from(list(MotionKind)),
    edge=st.sampled_from(["start", "end"]),
    time_us=st.integers(1_700_000_000_000_000, 1_900_000_000_000_000),
    monotonic_s=st.just(0.0),
    confidence=unit,
    zones=st.lists(st.text(max_size=10), max_size=3).map(tuple),
    boxes=st.lists(st.builds(Box, unit, unit, unit, unit), max_size=3).map(tuple),
)


@given(motions)
def test_an_edge_that_was_published_reads_back_as_the_same_edge(motion: Motion) -> None:
    clock = FakeClock()
    bus = FakeBus(KINDS, clock=clock)
    motion_events.publish(bus, motion)
    found = motion_events.motion_of(bus.events[0], clock)
    assert found is not None
    age_s = (clock.time_us() - motion.time_us) / 1e6
    assert found.monotonic_s == clock.monotonic_s() - age_s
    assert (found.camera, found.kind, found.edge, found.time_us) == (
        motion.camera, motion.kind, motion.edge, motion.time_us,
    )  # fmt: skip
    assert (found.confidence, found.zones, found.boxes) == (
        motion.confidence, motion.zones, motion.boxes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "topic"),
    [
        (MotionKind.MOTION, "vigilar/camera/hall/motion/start"),
        (MotionKind.CAMERA_COVERED, "vigilar/camera/hall/scene/camera_covered/start"),
    ],
)
def test_only_motion_itself_travels_on_the_motion_topic(kind: MotionKind, topic: str) -> None:
    assert motion_events.topic_of(Motion("hall", kind, "start", 0, 0.0)) == topic


@pytest.mark.parametrize(
    "topic",
    [
        "vigilar/camera/hall/online",
        "vigilar/camera/hall/motion/pause",
        "vigilar/camera/hall/scene/party/start",
        "vigilar/sensor/hall/motion/start",
    ],
)
def test_other_events_are_no_motion(topic: str) -> None:
    bus = FakeBus([EventKind("other", topic, Severity.INFO, "Other")])
    bus.publish_event(topic)
    assert motion_events.motion_of(bus.events[0], FakeClock()) is None
