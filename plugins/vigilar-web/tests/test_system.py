from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from web_house import House

from vigilar_core.runtime.status import StatusServer, socket_path
from vigilar_core.web import Role
from vigilar_web.system_state import system_state, volumes

RUNNING = {"state": "running", "reason": "", "restarts": 0, "worker": "w", "pid": 1}


class Supervisor:
    """The real socket of a supervisor, with an answer of the test's making."""

    def __init__(self, house: House) -> None:
        self.answer: dict[str, Any] = {
            "pid": 1, "since_us": 1_767_000_000_000_000, "status": "running", "plugins": [],
            "services": [{"name": "ledger", **RUNNING}, {"name": "web", **RUNNING}],
        }  # fmt: skip
        path = socket_path(house.paths.runtime_dir)
        self._server = StatusServer(path, lambda: self.answer, house.clock.monotonic_s)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._end.wait(0.005):
            self._server.serve()

    def close(self) -> None:
        self._end.set()
        self._thread.join()
        self._server.close()


@pytest.fixture
def supervisor(house: House) -> Iterator[Supervisor]:
    found = Supervisor(house)
    yield found
    found.close()


def page(house: House) -> str:
    answer = house.client(Role.VIEWER).get("/system/")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_all_is_well_when_every_service_runs(house: House, supervisor: Supervisor) -> None:
    text = page(house)
    assert "Everything works" in text
    assert "ledger" in text


def test_what_does_not_run_is_counted_and_explained(house: House, supervisor: Supervisor) -> None:
    supervisor.answer["services"][0].update(
        state="backing_off", reason="the camera refused the password", restarts=4
    )
    supervisor.answer["plugins"] = [
        {"plugin": "hello", "version": "1", "state": "broken", "reason": "cannot be imported"}
    ]
    text = page(house)
    assert "2 things need attention" in text
    assert "the camera refused the password" in text
    assert "4 restarts" in text
    assert "cannot be imported" in text


def test_a_running_service_that_reports_trouble_is_no_well_one(
    house: House, supervisor: Supervisor
) -> None:
    supervisor.answer["services"][0]["health"] = {
        "recorder": {"state": "failed", "reason": "the disk is full", "fix": "make room"}
    }
    text = page(house)
    assert "1 thing needs attention" in text
    assert "the disk is full. Make room." in text
    assert "With trouble" in text


def test_without_a_supervisor_the_page_says_so(house: House) -> None:
    assert "The supervisor does not answer" in page(house)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"services": None, "plugins": 5},
        {"since_us": "x"},
        {"services": [None, {"x": 1}, {"name": 7}]},
        {"services": [{"name": "a", "state": 5}], "plugins": [{}]},
    ],
)
def test_an_odd_answer_leaves_the_page_standing(
    house: House, supervisor: Supervisor, answer: dict[str, Any]
) -> None:
    supervisor.answer = answer
    assert "System" in page(house)


def test_a_supervisor_that_hangs_costs_two_seconds_at_most(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vigilar_web.system_state.PATIENCE_S", 0.2)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(socket_path(house.paths.runtime_dir)))
        silent.listen()
        assert not system_state(house.paths).running


def test_one_file_system_is_shown_once(house: House) -> None:
    [volume] = volumes(house.paths)
    assert volume.name == "Recordings and data"
    assert 0 <= volume.used_pct <= 100
    assert 0 < volume.free_bytes <= volume.size_bytes


def test_programs_get_the_same(house: House, supervisor: Supervisor) -> None:
    document = house.client(Role.VIEWER, ["hall"]).get("/system/status").get_json()
    assert [service["name"] for service in document["services"]] == ["ledger", "web"]
    assert [camera["id"] for camera in document["cameras"]] == ["hall"]
    again = house.client(Role.VIEWER, ["hall"]).get("/api/v1/system/status").get_json()
    del document["volumes"], again["volumes"]  # free space changes while a test runs
    assert document == again
