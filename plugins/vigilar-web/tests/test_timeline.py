from __future__ import annotations

import re

import pytest
from web_house import House, at_us

from vigilar_core.web import Role


def shown(text: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="event-(\d+)"', text)]


@pytest.fixture
def long(house: House) -> House:
    """120 movements, one every hour, alternating between two cameras."""
    now_us = house.clock.time_us()
    for number in range(120):
        camera = "hall" if number % 2 else "garden"
        at = now_us - (120 - number) * 3_600_000_000
        house.happens(f"vigilar/camera/{camera}/motion/start", time_us=at, zones=f"zone {number}")
    return house


def test_the_page_shows_the_latest_first_and_leads_to_all_others(long: House) -> None:
    client, seen = long.client(), []
    text = client.get("/events/").get_data(as_text=True)
    while True:
        seen += shown(text)
        older = re.search(r'hx-get="(/events/older[^"]+)"', text)
        if older is None:
            break
        text = client.get(older[1].replace("&amp;", "&")).get_data(as_text=True)
    assert seen == list(range(120, 0, -1))


def test_older_rows_of_the_same_day_repeat_no_heading(long: House) -> None:
    client = long.client()
    first = client.get("/events/").get_data(as_text=True)
    older = re.search(r'hx-get="(/events/older[^"]+)"', first)
    assert older
    second = client.get(older[1].replace("&amp;", "&")).get_data(as_text=True)
    headings = re.findall(r"<h2 id=\"day-([\d-]+)\"", first + second)
    assert len(headings) == len(set(headings))


@pytest.mark.parametrize(
    ("query", "expected"),
    [("camera=hall", 50), ("camera=hall&severity=warning", 0), ("kind=motion_start", 50),
     ("kind=web_user_changed", 0), ("severity=notice", 50)],
)  # fmt: skip
def test_filters_choose(long: House, query: str, expected: int) -> None:
    text = long.client().get(f"/events/?{query}").get_data(as_text=True)
    assert len(shown(text)) == expected
    if "camera=hall" in query:
        assert "Movement at Garden" not in text


def test_days_are_those_of_the_house(house: House) -> None:
    """23:30 UTC on 30 June is the first of July in Vienna."""
    house.happens("vigilar/camera/hall/motion/start", time_us=at_us("2025-06-30T23:30:00+00:00"))
    client = house.client()
    assert shown(
        client.get("/events/?since=2025-07-01&until=2025-07-01").get_data(as_text=True)
    ) == [1]
    assert shown(client.get("/events/?until=2025-06-30").get_data(as_text=True)) == []


@pytest.mark.parametrize(
    "query",
    ["severity=huge", "since=yesterday", "since=2026-02-30", "camera=../etc", "camera=a%00b",
     "before=xyz", "before=AAAA", "kind=<script>", "before=" + "A" * 5000],
)  # fmt: skip
def test_what_cannot_be_understood_is_said_and_not_guessed(house: House, query: str) -> None:
    answer = house.client().get(f"/events/?{query}")
    assert answer.status_code == 400
    assert "<script>" not in answer.get_data(as_text=True)


def test_a_filter_changed_in_the_page_changes_its_address(long: House) -> None:
    answer = long.client().get(
        "/events/list?camera=hall&kind=&severity=&since=&until=", headers={"HX-Request": "true"}
    )
    assert answer.headers["HX-Push-Url"] == "/events/?camera=hall"
    assert "<html" not in answer.get_data(as_text=True)


def test_the_filter_is_kept_for_what_comes_later(long: House) -> None:
    text = long.client().get("/events/?camera=hall").get_data(as_text=True)
    assert 'data-feed="/events/newer?camera=hall"' in text
    assert re.search(r"/events/older\?camera=hall&amp;before=", text)


def test_newer_rows_are_those_behind_a_number_that_fit(long: House) -> None:
    long.happens("vigilar/camera/hall/motion/start")
    long.happens("vigilar/camera/garden/motion/start")
    long.happens("vigilar/camera/hall/motion/end")
    client = long.client()
    fitting = client.get("/events/newer?after=120&camera=hall").get_data(as_text=True)
    assert shown(fitting) == [121]
    assert 'data-new="123"' in fitting
    assert client.get("/events/newer?after=123").status_code == 204
    assert client.get("/events/newer?after=0").status_code == 205


def test_small_things_are_shown_only_when_asked_for(house: House) -> None:
    house.happens("vigilar/camera/hall/motion/end")
    client = house.client(Role.VIEWER)
    assert shown(client.get("/events/").get_data(as_text=True)) == []
    assert shown(client.get("/events/?all=1").get_data(as_text=True)) == [1]
    assert shown(client.get("/events/?kind=motion_end").get_data(as_text=True)) == [1]


def test_empty_states_say_what_will_come(house: House) -> None:
    client = house.client()
    assert "All quiet" in client.get("/events/").get_data(as_text=True)
    assert "Nothing of that kind" in client.get("/events/?camera=hall").get_data(as_text=True)


def test_the_first_page_shows_cameras_and_the_last_events(long: House) -> None:
    long.bus.publish_state("vigilar/camera/hall/heartbeat", {"online": True, "streams": []})
    text = long.client().get("/").get_data(as_text=True)
    assert shown(text) == list(range(120, 112, -1))
    assert "Hall" in text
    assert "No sign yet" in text


def test_a_house_without_cameras_is_told_how_to_add_one(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    bare = House(tmp_path_factory.mktemp("bare"), cameras={})
    assert "No camera yet" in bare.client().get("/").get_data(as_text=True)
