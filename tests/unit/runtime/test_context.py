from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vigilar_core.clock import SystemClock
from vigilar_core.context import Service
from vigilar_core.errors import NotReadyError
from vigilar_core.events import EventCatalogue
from vigilar_core.runtime.context import LONGEST_SLEEP_S, WorkerContext
from vigilar_core.testing import FakeBus, FakeSettings
from vigilar_core.testing.camera import fake_paths


class LoopBus(FakeBus):
    """A bus with a descriptor that says when there is something to deliver."""

    def __init__(self) -> None:
        super().__init__()
        self._event = os.eventfd(0, os.EFD_NONBLOCK)
        self.delivered = 0

    def fileno(self) -> int:
        return self._event

    def arrive(self) -> None:
        os.eventfd_write(self._event, 1)

    def deliver(self) -> int:
        try:
            found = os.eventfd_read(self._event)
        except BlockingIOError:
            return 0
        self.delivered += found
        return found


class Loop:
    """A context with everything that can happen to it at hand."""

    def __init__(self, folder: Path) -> None:
        self.bus = LoopBus()
        self.stop = os.eventfd(0)
        self.beats = 0
        self.context = WorkerContext(
            service=Service("presence", "presence"),
            settings=FakeSettings(),
            bus=self.bus,
            clock=SystemClock(),
            catalogue=EventCatalogue(),
            paths=fake_paths(folder),
            stop=self.stop,
            beat=self._beat,
            key=self._key,
            cameras=self._camera,
            hosted=lambda _hook: {},
        )

    def _beat(self) -> None:
        self.beats += 1

    def _key(self) -> bytes:
        raise NotReadyError("there is no storage key")

    def _camera(self, camera_id: str, _bus: object) -> Any:
        return camera_id

    def end(self) -> None:
        os.eventfd_write(self.stop, 1)


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    found = Loop(tmp_path)
    yield found
    os.close(found.stop)
    os.close(found.bus.fileno())


def test_waiting_beats_and_goes_on(loop: Loop) -> None:
    assert loop.context.wait(0.0)
    assert loop.beats >= 1


def test_a_long_wait_beats_in_between(loop: Loop) -> None:
    loop.context.wait(LONGEST_SLEEP_S * 2.5)
    assert loop.beats >= 4


def test_no_beat_without_a_call(loop: Loop) -> None:
    loop.context.wait(0.0)
    beats = loop.beats
    threading.Event().wait(LONGEST_SLEEP_S * 1.2)
    assert loop.beats == beats


def test_a_message_ends_the_wait_and_is_delivered(loop: Loop) -> None:
    timer = threading.Timer(0.05, loop.bus.arrive)
    timer.start()
    assert loop.context.wait(30.0)
    assert loop.bus.delivered == 1
    timer.join()


def test_messages_that_are_there_already_are_delivered_without_waiting(loop: Loop) -> None:
    loop.bus.arrive()
    assert loop.context.wait(0.0)
    assert loop.bus.delivered == 1


def test_being_asked_to_end_ends_the_wait_at_once_and_for_good(loop: Loop) -> None:
    timer = threading.Timer(0.05, loop.end)
    timer.start()
    assert not loop.context.wait(30.0)
    assert loop.context.stopping
    assert not loop.context.wait(30.0)
    timer.join()


def test_chores_are_done_each_turn(loop: Loop) -> None:
    done: list[int] = []
    loop.context.chores.append(lambda: done.append(1))
    loop.context.wait(0.0)
    loop.context.wait(0.0)
    assert len(done) == 2


def test_a_camera_has_one_host(loop: Loop) -> None:
    assert loop.context.camera("hall") == "hall"
    with pytest.raises(ValueError, match="has a host already"):
        loop.context.camera("hall")


def test_hooks_that_the_service_does_not_host_are_refused(loop: Loop) -> None:
    with pytest.raises(ValueError, match="does not host register_blueprint"):
        loop.context.hosted("register_blueprint")
