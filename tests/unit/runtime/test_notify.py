from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from vigilar_core.runtime.notify import ServiceManager


@pytest.fixture(params=["file", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """A service manager's socket and the name it gives out."""
    abstract = f"vigilar-test-{os.getpid()}"
    path = str(tmp_path / "notify")
    name, address = (path, path) if request.param == "file" else (f"@{abstract}", f"\0{abstract}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(5)
        yield name, listener


def test_each_message_arrives_as_systemd_reads_it(manager: tuple[str, socket.socket]) -> None:
    name, listener = manager
    ours = ServiceManager({"NOTIFY_SOCKET": name})
    ours.ready("5 of 5 workers run")
    assert listener.recv(999) == b"READY=1\nSTATUS=5 of 5 workers run"
    ours.status("fine")
    assert listener.recv(999) == b"STATUS=fine"
    ours.alive()
    assert listener.recv(999) == b"WATCHDOG=1"
    ours.reloading()
    assert listener.recv(999).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    ours.stopping("bye")
    assert listener.recv(999) == b"STOPPING=1\nSTATUS=bye"


def test_without_a_service_manager_nothing_happens() -> None:
    ours = ServiceManager({})
    ours.ready("all run")
    ours.alive()
    assert ours.watchdog_s is None


def test_a_vanished_service_manager_is_no_error(tmp_path: Path) -> None:
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()


def test_a_service_manager_that_does_not_read_never_blocks(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        ours = ServiceManager({"NOTIFY_SOCKET": path})
        for _ in range(10_000):
            ours.alive()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_time_is_read_when_it_is_meant_for_this_process(
    environment: dict[str, str], expected: float | None
) -> None:
    assert ServiceManager(environment).watchdog_s == expected
