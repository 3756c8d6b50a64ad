from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)
from web_house import House

from vigilar_core.web import Role

#: A cursor cannot be described by a pattern alone, and schemathesis takes the cookie, which it
#: does not vary, for a parameter that it does.
NOT_MEANT = [ignored_auth, positive_data_acceptance, negative_data_rejection]


def test_events_come_in_pages(house: House) -> None:
    for _ in range(5):
        house.happens("vigilar/camera/hall/motion/start")
    client, seen, cursor = house.client(Role.VIEWER), [], {}
    while True:
        page = client.get("/api/v1/events", query_string={"limit": 2, **cursor}).get_json()
        seen += [item["sequence"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == [5, 4, 3, 2, 1]


def test_events_after_a_number_come_in_the_order_of_commitment(house: House) -> None:
    for _ in range(5):
        house.happens("vigilar/camera/hall/motion/start")
    items = house.client().get("/api/v1/events?after=3").get_json()["items"]
    assert [item["sequence"] for item in items] == [4, 5]


def test_an_event_has_its_words_and_fields(house: House) -> None:
    house.happens("vigilar/camera/hall/motion/start", zones="door")
    item = house.client().get("/api/v1/events/1").get_json()
    assert (item["title"], item["camera"], item["severity"]) == (
        "Movement at Hall",
        "hall",
        "notice",
    )
    assert item["data"] == {"zones": "door"}
    assert item["time"].endswith("+01:00")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "severity=huge", "cursor=!", "cursor=AAAA", "after=-1",
     "after=99999999999999999999", "camera=a b", "unknown=1", "since_us=1e400", "kind=A"],
)  # fmt: skip
def test_malformed_queries_are_answered_with_a_problem(house: House, query: str) -> None:
    answer = house.client().get(f"/api/v1/events?{query}")
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["status"] == 422


def test_what_is_not_there_is_a_problem_too(house: House) -> None:
    for path in ("/api/v1/events/99", "/api/v1/nothing"):
        answer = house.client().get(path)
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_a_session_says_who_asks(house: House) -> None:
    answer = house.client(Role.VIEWER, ["hall"]).get("/api/v1/session").get_json()
    assert (answer["role"], answer["cameras"]) == ("viewer", ["hall"])


def test_the_description_names_every_operation(house: House) -> None:
    document = house.client().get("/api/v1/openapi.json").get_json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/api/v1/cameras", "/api/v1/events", "/api/v1/events/{sequence}", "/api/v1/session",
        "/api/v1/system/status",
    }  # fmt: skip
    page = house.client().get("/api/docs").get_data(as_text=True)
    assert all(path in page for path in document["paths"])


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
def test_whatever_is_asked_the_answer_is_as_described(house: House, mode: GenerationMode) -> None:
    house.happens("vigilar/camera/hall/motion/start", zones="door")
    cookie = house.client(Role.VIEWER).get_cookie("__Host-vigilar")
    assert cookie is not None
    cookies = {"__Host-vigilar": cookie.value}
    document = house.client().get("/api/v1/openapi.json").get_json()
    schema = schemathesis.openapi.from_dict(document)
    schema.app = house.app
    statuses = set()
    for operation in schema.get_all_operations():

        @given(case=operation.ok().as_strategy(generation_mode=mode))
        @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
        def check(case: schemathesis.Case) -> None:
            answer = case.call_and_validate(cookies=cookies, excluded_checks=NOT_MEANT)
            statuses.add(answer.status_code)

        check()
    assert statuses <= (
        {200, 404, 422} if mode is GenerationMode.POSITIVE else {200, 404, 405, 422}
    )
    assert 200 in statuses or mode is GenerationMode.NEGATIVE
