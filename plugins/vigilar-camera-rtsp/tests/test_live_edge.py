from __future__ import annotations

import random

import pytest

from vigilar_camera_rtsp.live_edge import LiveEdge


class Camera:
    """Packets that can be read `delay_s` after their media time; a read before that waits."""

    def __init__(self, interval_s: float, delay_s: float = 0.04, jitter_s: float = 0.0) -> None:
        self.interval_s, self.delay_s, self.jitter_s = interval_s, delay_s, jitter_s
        self.now_s = 500.0
        self.next_media_s = 0.0
        self.waits = 0
        self._random = random.Random(1)
        self._start_s = self.now_s

    def drain(self, edge: LiveEdge) -> int:
        edge.begin(self.now_s)
        count = 0
        while edge.expects(self.now_s):
            count += 1
            jitter_s = self._random.uniform(0, self.jitter_s)
            there_s = self._start_s + self.next_media_s + self.delay_s + jitter_s
            waited_s = max(0.0, there_s - self.now_s)
            self.waits += waited_s > 0.004
            self.now_s += waited_s + 0.0001
            edge.observe(self.next_media_s, self.now_s, waited_s)
            self.next_media_s += self.interval_s
        edge.end(self.now_s)
        return count

    @property
    def backlog_s(self) -> float:
        """How old the next packet is that could have been read."""
        return self.now_s - (self._start_s + self.next_media_s + self.delay_s)

    def run(self, edge: LiveEdge, ticks: int, tick_s: float = 0.2) -> None:
        for _ in range(ticks):
            self.drain(edge)
            self.now_s += tick_s - self.now_s % tick_s


@pytest.mark.parametrize("fps", [5, 10, 15, 25, 30, 60])
def test_a_tick_reads_what_is_there_and_hardly_ever_waits(fps: int) -> None:
    camera, edge = Camera(1 / fps), LiveEdge()
    camera.run(edge, 500)
    assert camera.waits <= 500 / 10
    camera.drain(edge)
    assert camera.backlog_s < 1 / fps + 0.01


def test_the_delay_and_the_rhythm_are_learnt() -> None:
    camera, edge = Camera(0.04, delay_s=0.07), LiveEdge()
    camera.run(edge, 50)
    assert edge.interval_s == pytest.approx(0.04)
    assert edge.lag_s == pytest.approx(500.07, abs=0.002)


def test_a_backlog_is_read_in_one_drain() -> None:
    camera, edge = Camera(0.04), LiveEdge()
    camera.run(edge, 20)
    camera.now_s += 3.0
    assert camera.drain(edge) >= 75


def test_a_camera_whose_clock_stood_still_for_a_while_is_followed_again() -> None:
    camera, edge = Camera(0.04), LiveEdge()
    camera.run(edge, 100)
    camera.delay_s += 2.0
    camera.run(edge, 100)
    camera.waits = 0
    camera.run(edge, 100)
    assert camera.waits <= 10


@pytest.mark.parametrize("parts_per_million", [-200, 200])
def test_drift_of_the_camera_is_followed(parts_per_million: int) -> None:
    camera, edge = Camera(0.04), LiveEdge()
    for _ in range(100):
        camera.run(edge, 50)
        camera.delay_s += 10 * parts_per_million / 1e6
    camera.drain(edge)
    assert camera.backlog_s < 0.1
    assert camera.waits < 1000


def test_jitter_costs_at_most_a_wait_in_a_tick() -> None:
    camera, edge = Camera(0.04, jitter_s=0.03), LiveEdge()
    camera.run(edge, 500)
    assert camera.waits <= 500
    assert camera.backlog_s < 0.3


@pytest.mark.parametrize("jump_s", [-1e6, -3.0, 3.0, 1e6])
def test_a_jump_of_the_cameras_clock_does_not_stop_reading(jump_s: float) -> None:
    camera, edge = Camera(0.04), LiveEdge()
    camera.run(edge, 50)
    edge.begin(camera.now_s)
    edge.observe(camera.next_media_s + jump_s, camera.now_s, 0.0)
    assert edge.expects(camera.now_s)


def test_repeated_media_times_do_not_end_reading() -> None:
    edge = LiveEdge()
    edge.begin(1.0)
    for _ in range(10):
        assert edge.expects(1.0)
        edge.observe(0.0, 1.0, 0.0)
    assert edge.interval_s is None
