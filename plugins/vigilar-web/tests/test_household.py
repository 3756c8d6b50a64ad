from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_house import ALL_KINDS, House, at_us

from vigilar_core.config import Camera
from vigilar_core.config.core import System
from vigilar_core.events import EventCatalogue
from vigilar_core.testing import FakeClock, FakeSettings
from vigilar_web.household import Household

SETTINGS = FakeSettings(
    [System(timezone="Europe/Vienna")],
    {"cameras": {"hall": [Camera(id="hall", display_name="Hall")]}},
)
CATALOGUE = EventCatalogue.of(ALL_KINDS)


def household(now: str = "2026-07-01T12:00:00+02:00") -> Household:
    return Household(SETTINGS, CATALOGUE, FakeClock(at_us(now)))


def test_moments_are_told_in_the_house_time_zone() -> None:
    moment = household().moment(at_us("2026-07-01T10:30:05+00:00"))
    assert (moment.clock_time, moment.day) == ("12:30:05", "2026-07-01")
    assert moment.iso == "2026-07-01T12:30:05+02:00"


@given(st.integers(-(2**63), 2**63 - 1))
def test_no_moment_raises(time_us: int) -> None:
    household().moment(time_us)


@pytest.mark.parametrize(
    ("day", "title"),
    [("2026-07-01", "Today"), ("2026-06-30", "Yesterday"), ("2026-06-29", "Monday 29 June"),
     ("2025-12-24", "Wednesday 24 December 2025")],
)  # fmt: skip
def test_days_have_headings(day: str, title: str) -> None:
    assert household().day_title(day) == title


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-07-01"])
def test_a_day_begins_at_local_midnight_also_when_the_clocks_change(day: str) -> None:
    house = household()
    start_us = house.start_of_day_us(datetime.date.fromisoformat(day))
    assert house.moment(start_us).clock_time == "00:00:00"
    assert house.moment(start_us - 1_000_000).day < day


def test_cameras_are_called_by_their_names(house: House) -> None:
    event = house.happens("vigilar/camera/hall/motion/start", zones="door")
    happening = house.web.household.happening(event)
    assert (happening.title, happening.text) == ("Movement at Hall", "In door")
    assert (happening.camera, happening.icon) == ("hall", "person-walking")


def test_lists_are_told_as_people_would_and_empty_ones_not_at_all(house: House) -> None:
    topic = "vigilar/camera/hall/motion/start"
    two = house.web.household.happening(house.happens(topic, zones=["door", "stairs"]))
    none = house.web.household.happening(house.happens(topic, zones=[]))
    assert (two.text, none.text) == ("In door, stairs", "")


def test_a_kind_nobody_declares_any_more_is_still_told(house: House) -> None:
    bare = Household(SETTINGS, EventCatalogue(), house.clock)
    event = house.happens("vigilar/camera/hall/motion/start")
    assert bare.happening(event).title == "motion start"
