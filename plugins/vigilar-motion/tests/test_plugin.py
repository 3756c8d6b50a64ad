"""The plugin's place in the core: configuration, kinds of event, frames in and edges out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from vigilar_core.events import EventCatalogue
from vigilar_core.media import Frame, Motion, MotionKind
from vigilar_core.runtime.motion_events import topic_of
from vigilar_core.testing import FakeBus, FakeCamera
from vigilar_motion.analyser import MotionAnalyser
from vigilar_motion.event_kinds import EVENT_KINDS
from vigilar_motion.plugin import camera_attach
from vigilar_motion.settings import MotionSettings, Zone

COARSE = np.random.default_rng(99).integers(60, 190, (18, 32)).repeat(20, 0).repeat(20, 1)
GRAIN = np.random.default_rng(5).normal(0, 2, (360, 640))


def attach(folder: Path, **keys: Any) -> tuple[FakeCamera, MotionAnalyser]:
    camera = FakeCamera(folder, models=[MotionSettings(**keys)], bus=FakeBus(EVENT_KINDS))
    analyser = camera_attach(camera)
    assert isinstance(analyser, MotionAnalyser)
    return camera, analyser


def frame(number: int, fps: float, *, walker: bool) -> Frame:
    """A textured view with noise; a dark walker crosses it when asked for."""
    picture = COARSE + np.roll(GRAIN, 7919 * number)
    if walker:
        x = int(40 + 15 * number) % 600
        picture[150:240, x : x + 30] = 20
    pixels = np.clip(picture, 0, 255).astype(np.uint8)
    time_s = number / fps
    return Frame("hall", number, pixels, "gray8", int(time_s * 1e6), 100.0 + time_s)


def test_frames_become_edges_of_motion_with_the_frames_times(tmp_path: Path) -> None:
    _, analyser = attach(tmp_path)
    edges: list[Motion] = []
    for number in range(150):
        edges += analyser.on_frame(frame(number, 5.0, walker=50 <= number < 80))
    assert [(edge.kind, edge.edge) for edge in edges] == [
        (MotionKind.MOTION, "start"),
        (MotionKind.MOTION, "end"),
    ]
    start = edges[0]
    assert start.camera == "hall" and start.boxes and 0.5 <= start.confidence <= 1.0
    assert 10_000_000 <= start.time_us <= 11_000_000
    assert start.monotonic_s == pytest.approx(100.0 + start.time_us / 1e6)


def test_asks_for_the_full_rate_only_while_there_is_something_to_settle(tmp_path: Path) -> None:
    camera, analyser = attach(tmp_path)
    asked = []
    for number in range(150):
        analyser.on_frame(frame(number, 5.0, walker=50 <= number < 80))
        asked.append(camera.analysis_fps)
    assert asked[0] is not None
    assert asked[45] is None
    assert asked[60] is not None
    assert asked[-1] is None


def test_a_lost_camera_is_not_asked_for_more(tmp_path: Path) -> None:
    camera, analyser = attach(tmp_path)
    analyser.on_frame(frame(0, 5.0, walker=False))
    assert camera.analysis_fps is not None
    analyser.on_disconnected("cable")
    assert camera.analysis_fps is None


def test_colour_pictures_are_left_to_others(tmp_path: Path) -> None:
    _, analyser = attach(tmp_path)
    colour = Frame("hall", 1, np.zeros((90, 160, 3), np.uint8), "bgr24", 0, 0.0)
    assert list(analyser.on_frame(colour)) == []


def test_zones_that_do_not_fit_the_picture_are_told_and_motion_counts_everywhere(
    tmp_path: Path,
) -> None:
    far = [(1000.0, 500.0), (1900.0, 500.0), (1900.0, 1000.0)]
    camera, analyser = attach(tmp_path, motion_zones=[far])
    edges: list[Motion] = []
    for number in range(80):
        edges += analyser.on_frame(frame(number, 5.0, walker=number >= 50))
    assert [edge.edge for edge in edges] == ["start"]
    (event,) = camera.bus.events
    assert event.kind == "motion_zones_refused"
    assert "640×360" in event.data["reason"]


@pytest.mark.parametrize("kind", MotionKind)
@pytest.mark.parametrize("edge", ["start", "end"])
def test_every_edge_has_a_kind_of_event(kind: MotionKind, edge: Any) -> None:
    catalogue = EventCatalogue.of(EVENT_KINDS)
    found = catalogue.classify(topic_of(Motion("hall", kind, edge, 0, 0.0)))
    assert found is not None and found.name == f"{kind.value}_{edge}"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"motion_sensitivity": 1.5}, "less than or equal to 1"),
        ({"motion_min_area_px": 0}, "greater than or equal to 1"),
        ({"method": "optical"}, "'blocks' or 'mog2'"),
        ({"motion_zones": [[(0, 0), (1, 1)]]}, "three different corners"),
        ({"motion_zones": [[(0, 0), (-1, 1), (1, 1)]]}, "inside the picture"),
        ({"motion_level": 3}, "Extra inputs"),
    ],
)
def test_a_wrong_key_is_refused_with_its_reason(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        MotionSettings(**keys)


def test_two_zones_of_one_name_are_refused() -> None:
    zone = Zone(name="door", points=((0, 0), (1, 0), (1, 1)))
    with pytest.raises(ValidationError, match="share a name"):
        MotionSettings(zones=(zone, zone))


def test_the_keys_reach_the_detector() -> None:
    zone = Zone(name="door", points=((0, 0), (1, 0), (1, 1)))
    options = MotionSettings(
        method="mog2", motion_sensitivity=0.4, motion_min_area_px=900, zones=(zone,)
    ).options()
    assert (options.method, options.sensitivity, options.min_area_px) == ("mog2", 0.4, 900)
    assert options.zones[0].name == "door"
