from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vigilar_core.errors import NotReadyError
from vigilar_core.runtime.status import CLIENTS, PATIENCE_S, StatusServer, ask, socket_path
from vigilar_core.testing import FakeClock, eventually

BIG = {"services": [{"name": f"camera:{number}", "reason": "x" * 1000} for number in range(2000)]}


class Serving:
    """A status server turned by a thread, as the supervisor's loop turns it."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.answer: dict[str, object] = {"status": "running"}
        self.server = StatusServer(socket_path(folder), lambda: self.answer, self.clock.monotonic_s)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._turn)
        self._thread.start()

    def _turn(self) -> None:
        while not self._stop.wait(0.002):
            self.server.serve()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.server.close()


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    found = Serving(tmp_path)
    yield found
    found.close()


def connect(folder: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(5)
    client.connect(str(socket_path(folder)))
    return client


def test_whoever_asks_gets_the_snapshot(serving: Serving, tmp_path: Path) -> None:
    assert ask(tmp_path) == {"status": "running"}
    serving.answer = {"status": "degraded"}
    assert ask(tmp_path) == {"status": "degraded"}


def test_an_answer_larger_than_any_buffer_arrives_whole(serving: Serving, tmp_path: Path) -> None:
    serving.answer = BIG
    assert ask(tmp_path) == BIG


def test_nobody_there_is_said_with_the_path(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match=r"does not run.*supervisor\.sock"):
        ask(tmp_path)


def test_a_socket_left_over_by_a_crash_is_replaced(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(socket_path(tmp_path)))
    left.close()
    with pytest.raises(NotReadyError, match="does not run"):
        ask(tmp_path)
    found = Serving(tmp_path)
    assert ask(tmp_path) == {"status": "running"}
    found.close()


def test_clients_that_never_read_do_not_keep_others_waiting(
    serving: Serving, tmp_path: Path
) -> None:
    serving.answer = BIG
    silent = [connect(tmp_path) for _ in range(CLIENTS - 1)]
    assert ask(tmp_path) == BIG
    for each in silent:
        each.close()


def test_a_client_too_many_is_turned_away_until_the_slow_are_dropped(
    serving: Serving, tmp_path: Path
) -> None:
    serving.answer = BIG
    silent = [connect(tmp_path) for _ in range(CLIENTS)]
    with pytest.raises(NotReadyError, match="does not answer"):
        ask(tmp_path)
    serving.clock.advance(PATIENCE_S + 1)
    assert eventually(lambda: _asked(tmp_path)) == BIG
    for each in silent:
        each.close()


def _asked(folder: Path) -> dict[str, object]:
    try:
        return ask(folder)
    except NotReadyError:
        return {}


def test_a_client_that_sends_garbage_or_hangs_up_harms_nobody(
    serving: Serving, tmp_path: Path
) -> None:
    serving.answer = BIG
    for _ in range(50):
        client = connect(tmp_path)
        client.send(os.urandom(4096))
        client.close()
    assert ask(tmp_path) == BIG


def test_the_socket_is_open_to_owner_and_group_only(serving: Serving, tmp_path: Path) -> None:
    assert socket_path(tmp_path).stat().st_mode & 0o777 == 0o660


def test_a_runtime_folder_with_a_very_long_path_works(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    found = Serving(folder)
    assert ask(folder) == {"status": "running"}
    found.close()


def test_the_socket_is_removed_at_the_end(tmp_path: Path) -> None:
    found = Serving(tmp_path)
    found.close()
    assert not socket_path(tmp_path).exists()


def test_an_answer_that_is_no_json_is_said(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(socket_path(tmp_path)))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            connection.send(json.dumps({}).encode()[:1])
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(NotReadyError, match="does not answer"):
            ask(tmp_path)
        thread.join()
