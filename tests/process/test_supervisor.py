"""The supervisor with real processes: everything that is killed, stopped or stuck comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from vigilar_core.testing import Installation, eventually

BEAT = """
    from vigilar_core.context import Service

    @hookimpl
    def register_services(settings):
        return [Service({name!r}, beat_timeout_s=2.0, poll_interval_s=0.2)]

    @hookimpl
    def poll(context):
        pass
"""


ONLY = ("--only", "broker,ledger,one,two")


@pytest.fixture(scope="module")
def shared_house(shared_workshop) -> Installation:
    """Broker, ledger and two plugins that beat."""
    for name in ("one", "two"):
        shared_workshop.plugin(name, BEAT.format(name=name))
    return shared_workshop.installation()


@pytest.fixture
def house(shared_house: Installation) -> Installation:
    """The same, with everything running, whatever the test before did to it."""
    if shared_house.process is None:
        shared_house.start(*ONLY)
    shared_house.running()
    return shared_house


def tree(installation: Installation) -> list[psutil.Process]:
    """The supervisor and all its descendants."""
    root = psutil.Process(installation.process.pid)
    return [root, *root.children(recursive=True)]


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def runs_anew(installation: Installation, service: str, old_pid: int) -> bool:
    found = installation.services().get(service, {})
    return found.get("state") == "running" and found["pid"] != old_pid


@pytest.mark.parametrize("service", ["one", "ledger", "broker"])
def test_a_killed_worker_is_back_and_the_others_go_on(house: Installation, service: str) -> None:
    before = {name: each["pid"] for name, each in house.services().items()}
    os.kill(before[service], signal.SIGKILL)
    eventually(lambda: runs_anew(house, service, before[service]), within_s=10)
    after = {name: each["pid"] for name, each in house.services().items()}
    assert {name for name in before if before[name] != after[name]} == {service}
    assert "killed by SIGKILL: out of memory?" in house.log.read_text()


def test_a_killed_fork_server_is_replaced_and_everything_comes_back(house: Installation) -> None:
    before = {name: each["pid"] for name, each in house.services().items()}
    workers = [psutil.Process(pid) for pid in before.values()]
    os.kill(house.status()["fork_server_pid"], signal.SIGKILL)
    eventually(lambda: all(map(is_gone, workers)), what="no worker outlives the fork server")
    for name, pid in before.items():
        eventually(lambda name=name, pid=pid: runs_anew(house, name, pid), within_s=10)


def test_nothing_outlives_a_killed_supervisor(house: Installation) -> None:
    descendants = tree(house)[1:]
    assert len(descendants) >= 6  # fork server, broker and its mosquitto, ledger, one, two
    house.process.kill()
    eventually(lambda: all(map(is_gone, descendants)), what="all descendants are gone")
    house.stop()
    house.start(*ONLY)
    house.running(within_s=15)


def test_a_stopped_worker_is_found_by_its_heartbeat_and_replaced(house: Installation) -> None:
    pid = house.pid("two")
    os.kill(pid, signal.SIGSTOP)
    stopped = time.monotonic()
    eventually(lambda: runs_anew(house, "two", pid), within_s=12)
    assert "the loop of two stood still for" in house.log.read_text()
    assert time.monotonic() - stopped < 2.0 + 2.0 + 5.0  # time-out, grace of SIGABRT, start


def test_an_orderly_end_takes_less_than_ten_seconds_and_leaves_nobody(
    house: Installation,
) -> None:
    processes = tree(house)
    assert house.stop(within_s=10.0) == 0
    assert all(map(is_gone, processes))
    assert not (house.folder / "run" / "supervisor.sock").exists()


def test_a_worker_that_ignores_the_end_is_killed_in_time(workshop) -> None:
    workshop.plugin(
        "deaf",
        """
        import time

        @hookimpl
        def service_run(context):
            while True:
                context.wait(0.1)
                time.sleep(0.1)
        """,
    )
    house = workshop.installation()
    house.start("--only", "deaf")
    house.running("deaf")
    processes = tree(house)
    assert house.stop(within_s=10.0) == 0
    assert all(map(is_gone, processes))


def test_a_second_instance_on_the_same_data_is_refused_and_the_first_unharmed(
    house: Installation,
) -> None:
    answer = house.run("start", check=False)
    assert answer.returncode == 3
    assert str(house.process.pid) in answer.stderr
    assert house.status()["pid"] == house.process.pid


def test_status_needs_no_broker_and_says_what_does_not_run(house: Installation) -> None:
    assert house.run("status", check=False).returncode == 0
    pid = house.pid("broker")
    os.kill(pid, signal.SIGSTOP)
    assert house.run("status", check=False).returncode in (0, 1)
    os.kill(pid, signal.SIGCONT)
    house.stop()
    gone = house.run("status", check=False)
    assert gone.returncode == 3
    assert "does not run" in gone.stderr


def test_heartbeats_of_a_stopped_supervisor_are_not_held_against_the_workers(
    house: Installation,
) -> None:
    before = {name: each["pid"] for name, each in house.services().items()}
    house.process.send_signal(signal.SIGSTOP)
    os.kill(before["one"], signal.SIGSTOP)
    subprocess.run(["sleep", "5.5"], check=True)
    os.kill(before["one"], signal.SIGCONT)
    house.process.send_signal(signal.SIGCONT)
    eventually(lambda: "itself stood still" in house.log.read_text())
    eventually(lambda: house.status().get("status") == "running")
    assert {name: each["pid"] for name, each in house.services().items()} == before


def test_workers_hold_no_secret_in_their_arguments_or_environment(house: Installation) -> None:
    canary = (house.folder / "secrets" / "bus.key").read_bytes()
    for process in tree(house):
        for name in ("cmdline", "environ"):
            content = Path(f"/proc/{process.pid}/{name}").read_bytes()
            assert canary not in content
            assert canary.hex().encode() not in content
