from __future__ import annotations

import pytest
from web_house import House

from vigilar_web.camera_states import CameraPhase


def beat(house: House, online: bool = True) -> None:
    house.bus.publish_state(
        "vigilar/camera/hall/heartbeat", {"online": online, "packets": 1, "streams": []}
    )


def test_a_camera_never_heard_of_is_unknown(house: House) -> None:
    assert house.web.camera_states.of("hall").phase is CameraPhase.UNKNOWN


def test_heartbeats_tell_whether_it_is_there(house: House) -> None:
    beat(house)
    assert house.web.camera_states.of("hall").phase is CameraPhase.ONLINE
    beat(house, online=False)
    assert house.web.camera_states.of("hall").phase is CameraPhase.OFFLINE


def test_a_camera_that_falls_silent_is_not_taken_for_well(house: House) -> None:
    beat(house)
    house.clock.advance(21)
    assert house.web.camera_states.of("hall").phase is CameraPhase.SILENT


def test_movement_is_shown_while_it_lasts(house: House) -> None:
    beat(house)
    house.happens("vigilar/camera/hall/motion/start")
    assert house.web.camera_states.of("hall").moving
    house.happens("vigilar/camera/hall/motion/end")
    assert not house.web.camera_states.of("hall").moving


@pytest.mark.parametrize(
    "data", [{}, {"online": "yes"}, {"online": None}, {"online": 1}, {"online": [True]}, {"x": 1}]
)
def test_an_odd_heartbeat_leaves_the_page_standing(house: House, data: dict[str, object]) -> None:
    house.bus.publish_state("vigilar/camera/hall/heartbeat", data)
    assert house.web.camera_states.of("hall").phase is CameraPhase.OFFLINE
    assert house.client().get("/").status_code == 200
