"""The broker service: started, probed, ended with its parent, explained when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vigilar_core.bus.address import choose_broker, find_mosquitto
from vigilar_core.bus.api import Message
from vigilar_core.bus.broker import PROBE_TOPIC, Probe, _running, explain_exit, run_broker
from vigilar_core.bus.client import MqttBus
from vigilar_core.clock import SystemClock
from vigilar_core.errors import TransientError
from vigilar_core.events import EventCatalogue
from vigilar_core.testing import eventually
from vigilar_core.testing.camera import fake_paths

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")


def answer(number: int) -> Message:
    return Message(PROBE_TOPIC, "broker", 0, {"number": number})


def test_the_probe_asks_every_two_seconds_and_counts_silence() -> None:
    probe = Probe(100.0)
    assert probe.question(100.0) == {"number": 1}
    assert probe.question(101.9) is None
    probe.answered(answer(1), 100.1)
    assert probe.silence_s(103.1) == pytest.approx(3.0)


def test_a_late_answer_to_an_old_question_proves_nothing() -> None:
    probe = Probe(0.0)
    probe.question(0.0)
    probe.question(2.0)
    probe.answered(answer(1), 7.0)
    assert probe.silence_s(7.0) == 7.0


class LoopContext:
    """What :func:`run_broker` uses of a service's surroundings."""

    def __init__(self, folder: Path) -> None:
        self.paths = fake_paths(folder)
        self.clock = SystemClock()
        self.bus = MqttBus(
            choose_broker(None, self.paths.runtime_dir),
            "broker",
            bytes(32),
            EventCatalogue(),
            self.paths.spool_dir,
            self.clock,
        )
        self.turns = 0
        self.on_turn: Callable[[], bool] = lambda: True

    def wait(self, timeout_s: float) -> bool:
        end_s = time.monotonic() + min(timeout_s, 0.05)
        while time.monotonic() < end_s:
            self.bus.deliver()
            time.sleep(0.005)
        self.turns += 1
        return self.on_turn()


def broker_pid() -> int:
    """The child of this process that is mosquitto."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return next(
        int(pid) for pid in children if "mosquitto" in Path(f"/proc/{pid}/cmdline").read_text()
    )


@pytest.fixture
def surroundings(tmp_path: Path) -> Iterator[LoopContext]:
    made = LoopContext(tmp_path)
    made.bus.start()
    yield made
    made.bus.close()


def test_it_runs_while_the_broker_answers_and_ends_it_afterwards(surroundings: LoopContext) -> None:
    surroundings.on_turn = lambda: surroundings.bus.counters["received"] < 2
    run_broker(surroundings)  # type: ignore[arg-type]
    with pytest.raises(StopIteration):
        broker_pid()


def test_a_killed_broker_is_explained(surroundings: LoopContext) -> None:
    def kill() -> bool:
        if surroundings.bus.connected and surroundings.turns > 3:
            os.kill(broker_pid(), signal.SIGKILL)
        return True

    surroundings.on_turn = kill
    with pytest.raises(TransientError, match="SIGKILL"):
        run_broker(surroundings)  # type: ignore[arg-type]


def test_a_stopped_broker_is_noticed_although_its_process_lives(
    surroundings: LoopContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vigilar_core.bus.broker.PATIENCE_S", 2.5)

    def stop() -> bool:
        if surroundings.bus.connected:
            os.kill(broker_pid(), signal.SIGSTOP)
        return True

    surroundings.on_turn = stop
    with pytest.raises(TransientError, match="not answered"):
        run_broker(surroundings)  # type: ignore[arg-type]
    with pytest.raises(StopIteration):
        broker_pid()


def test_the_exit_of_a_child_is_told_with_its_last_words() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no room')"]
    child = subprocess.Popen(command, stderr=subprocess.PIPE)
    child.wait()
    assert explain_exit(child) == "exit code 1: no room"
    assert child.stderr is not None
    child.stderr.close()


PARENT = """
import sys, time
from pathlib import Path
from vigilar_core.bus.address import choose_broker
from vigilar_core.bus.broker import _running
run = Path(sys.argv[1])
with _running(choose_broker(None, run), run) as child:
    print(child.pid, flush=True)
    time.sleep(60)
"""


def test_the_broker_dies_with_a_killed_parent_even_while_stopped(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        eventually((tmp_path / "broker" / "bus.sock").exists, what="socket")
        os.kill(pid, signal.SIGSTOP)
        parent.kill()
    eventually(lambda: not is_alive(pid), within_s=5, what="end of the broker")


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_runtime_folder_with_a_very_long_path_works(tmp_path: Path) -> None:
    run = tmp_path.joinpath(*["a folder with a long name"] * 6)
    with _running(choose_broker(None, run), run) as child:
        eventually((run / "broker" / "bus.sock").exists, what="socket")
        assert child.poll() is None
