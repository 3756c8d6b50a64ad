"""Pages of the timeline against a plain sorted list, and how the database comes by them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from vigilar_core.events import Event, Severity
from vigilar_core.store.engine import open_engine, writing
from vigilar_core.store.migrate import migrate
from vigilar_core.store.tables import event_series, events
from vigilar_core.store.timeline import Place, TimelineFilter, events_per_hour, timeline_page

SUBJECTS = ("camera/hall", "camera/yard", "sensor/door", "system")
KINDS = ("motion_start", "motion_end", "door_open", "rare")
SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


def fill(engine: Engine, count: int, seed: int) -> list[dict[str, Any]]:
    """Events at few different times, so that many share one."""
    source, numbers, rows = random.Random(seed), dict[Any, int](), []
    with writing(engine) as connection:
        for sequence in range(1, count + 1):
            kind = "rare" if source.random() < 0.01 else source.choice(KINDS[:3])
            key = (source.choice(SUBJECTS), kind, source.choice(SEVERITIES).value)
            if key not in numbers:
                values = dict(zip(("subject", "kind", "severity"), key, strict=True))
                made = connection.execute(sa.insert(event_series).values(values))
                assert made.inserted_primary_key is not None
                numbers[key] = made.inserted_primary_key[0]
            rows.append(
                {
                    "sequence": sequence,
                    "id": f"{sequence:032x}",
                    "time_us": source.randrange(count // 3),
                    "committed_us": 1,
                    "series": numbers[key],
                    "subject": key[0],
                    "kind": key[1],
                    "severity": key[2],
                    "source": "test",
                    "topic": "vigilar/t",
                    "data": "{}",
                    "caused_by": None,
                    "hops": 0,
                }
            )
        connection.execute(sa.insert(events), rows)
    return rows


COUNT = 1200


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, list[Any]]]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('timeline')}/vigilar.db")
    migrate(engine, [], snapshots_dir=None, time_us=1)
    yield engine, fill(engine, COUNT, seed=1)
    engine.dispose()


def expected(rows: list[dict[str, Any]], wanted: TimelineFilter) -> list[int]:
    chosen = [
        row
        for row in rows
        if wanted.covers(row["subject"], row["kind"], row["severity"])
        and (wanted.from_us is None or row["time_us"] >= wanted.from_us)
        and (wanted.until_us is None or row["time_us"] < wanted.until_us)
    ]
    chosen.sort(key=lambda row: (row["time_us"], row["sequence"]), reverse=True)
    return [row["sequence"] for row in chosen]


def all_pages(engine: Engine, wanted: TimelineFilter, limit: int) -> list[int]:
    found: list[Event] = []
    cursor = None
    while True:
        page = timeline_page(engine, wanted, cursor=cursor, limit=limit)
        assert len(page.events) <= limit
        found += page.events
        cursor = page.next
        if cursor is None:
            return [event.sequence or 0 for event in found]


def some(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.none() | st.sets(st.sampled_from(values), min_size=1)


filters = st.builds(
    TimelineFilter,
    kinds=some((*KINDS, "unheard_of")),
    without_kinds=st.just(()) | st.sets(st.sampled_from(KINDS)),
    severities=some(SEVERITIES),
    subjects=some(SUBJECTS),
    without_subjects=st.just(()) | st.sets(st.sampled_from(SUBJECTS)),
    from_us=st.none() | st.integers(0, COUNT // 3),
    until_us=st.none() | st.integers(0, COUNT // 3),
)


@settings(max_examples=40, deadline=None)
@given(wanted=filters, limit=st.integers(60, 400))
def test_pages_together_are_the_sorted_list_whatever_the_filter(
    filled: tuple[Engine, list[Any]], wanted: TimelineFilter, limit: int
) -> None:
    engine, rows = filled
    assert all_pages(engine, wanted, limit) == expected(rows, wanted)


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_small_pages_too(filled: tuple[Engine, list[Any]], limit: int) -> None:
    engine, rows = filled
    wanted = TimelineFilter(kinds=["rare", "door_open"], from_us=COUNT // 4)
    assert all_pages(engine, wanted, limit) == expected(rows, wanted)


def test_a_page_is_not_moved_by_new_events(engine: Engine) -> None:
    fill(engine, 100, seed=2)
    first = timeline_page(engine, TimelineFilter(), limit=10)
    second = timeline_page(engine, TimelineFilter(), cursor=first.next, limit=10)
    newest = {"id": "new", "time_us": 10**9, "sequence": 101}
    with writing(engine) as connection:
        row = connection.execute(sa.select(events).limit(1)).mappings().one()
        connection.execute(sa.insert(events).values({**row, **newest}))
    assert timeline_page(engine, TimelineFilter(), cursor=first.next, limit=10) == second


FILTERS = {
    "none": TimelineFilter(),
    "times": TimelineFilter(from_us=10, until_us=300),
    "one series": TimelineFilter(
        subjects=["camera/hall"], kinds=["motion_end"], severities=[Severity.INFO]
    ),
    "one camera": TimelineFilter(subjects=["camera/hall"]),
    "one kind": TimelineFilter(kinds=["rare"]),
    "severity and times": TimelineFilter(severities=[Severity.CRITICAL], from_us=5, until_us=350),
    "exclusions": TimelineFilter(without_kinds=["rare"], without_subjects=["system"]),
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("cursor", [None, Place(200, 600).token()])
def test_no_page_reads_or_sorts_more_than_it_needs(
    filled: tuple[Engine, list[Any]], name: str, cursor: str | None
) -> None:
    """Every access to events goes through an index or by number; nothing is sorted aside."""
    engine, _ = filled
    for plan in plans(engine, FILTERS[name], cursor):
        for step in plan:
            assert "TEMP B-TREE" not in step, plan
            if "events" in step or "inner" in step:
                assert "USING" in step, plan


def plans(engine: Engine, wanted: TimelineFilter, cursor: str | None) -> list[list[str]]:
    """The query plans of the statements that read a page."""
    statements: list[tuple[str, Any]] = []

    def note(connection: Any, driver_cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    timeline_page(engine, wanted, cursor=cursor)
    sa.event.remove(engine, "before_cursor_execute", note)
    found = []
    with engine.connect() as connection:
        for statement, parameters in statements:
            if statement.startswith("SELECT"):
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                found.append([row[3] for row in rows])
    assert found
    return found


def test_the_check_of_plans_would_notice_a_sort(filled: tuple[Engine, list[Any]]) -> None:
    """Control: the plain query that the pages stand in for does sort."""
    engine, _ = filled
    query = "SELECT * FROM events WHERE kind IN ('rare') ORDER BY severity, time_us DESC LIMIT 50"
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()
    assert any("TEMP B-TREE" in row[3] for row in rows)


@given(st.integers(0, 2**53), st.integers(0, 2**53))
def test_a_cursor_survives_its_way_through_a_client(time_us: int, sequence: int) -> None:
    token = Place(time_us, sequence).token()
    assert Place.of(token) == Place(time_us, sequence)
    assert token.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=40))
def test_any_other_text_is_no_cursor(text: str) -> None:
    try:
        place = Place.of(text)
    except ValueError as error:
        assert "no cursor" in str(error)
    else:
        assert place.time_us >= 0


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_page_has_a_sensible_size(engine: Engine, limit: int) -> None:
    with pytest.raises(ValueError, match="1 to 500"):
        timeline_page(engine, TimelineFilter(), limit=limit)


def test_events_are_counted_by_the_hour(engine: Engine) -> None:
    rows = fill(engine, 90, seed=3)
    hour_us = 3_600_000_000
    with writing(engine) as connection:
        connection.execute(sa.update(events).values(time_us=events.c.time_us * (hour_us // 10)))
    wanted = TimelineFilter(kinds=["door_open"], from_us=0, until_us=4 * hour_us)
    counted: dict[int, int] = {}
    for row in rows:
        if row["kind"] == "door_open":
            start = row["time_us"] // 10 * hour_us
            counted[start] = counted.get(start, 0) + 1
    assert events_per_hour(engine, wanted) == counted


def test_a_histogram_without_bounds_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="both times"):
        events_per_hour(engine, TimelineFilter(from_us=1))
    with pytest.raises(ValueError, match="at most"):
        events_per_hour(engine, TimelineFilter(from_us=0, until_us=10**15))
