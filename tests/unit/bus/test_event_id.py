"""Ids: unique, ascending, and UUIDs that anybody can read."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from vigilar_core.bus.event_id import event_id


@given(st.integers(0, 2**53))
def test_an_id_is_a_uuid_of_version_7_with_its_millisecond(time_us: int) -> None:
    found = uuid.UUID(hex=event_id(time_us))
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert found.int >> 80 == time_us // 1000


@given(st.integers(0, 2**53), st.integers(1, 10**9))
def test_ids_ascend_with_time(time_us: int, later_us: int) -> None:
    assert event_id(time_us) < event_id(time_us + later_us)


def test_ids_of_one_moment_differ() -> None:
    assert len({event_id(5) for _ in range(1000)}) == 1000
