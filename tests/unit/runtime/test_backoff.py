from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vigilar_core.runtime import backoff

chances = st.floats(0.0, 1.0)
failures = st.integers(1, 10_000)


@given(failures, chances)
def test_a_delay_stays_between_three_quarters_of_a_second_and_five_minutes(
    count: int, chance: float
) -> None:
    assert 0.75 <= backoff.delay_s(count, chance) <= 300.0


@given(st.integers(1, 8), chances)
def test_delays_double_until_the_longest(count: int, chance: float) -> None:
    assert backoff.delay_s(count + 1, chance) == 2 * backoff.delay_s(count, chance)


@given(failures, chances, chances)
def test_chance_takes_off_a_quarter_at_most(count: int, one: float, other: float) -> None:
    assert backoff.delay_s(count, one) >= 0.75 * backoff.delay_s(count, other)


def test_the_first_delay_is_a_second_and_the_longest_five_minutes() -> None:
    assert [backoff.delay_s(count, 0.0) for count in (1, 2, 3, 9, 10, 4000)] == [
        1, 2, 4, 256, 300, 300,
    ]  # fmt: skip


@given(st.integers(0, 50), st.floats(0, 599.9))
def test_a_short_life_counts_as_one_more_failure(before: int, ran_s: float) -> None:
    assert backoff.failures_in_a_row(before, ran_s) == before + 1


@given(st.integers(0, 50), st.floats(600, 1e7))
def test_ten_healthy_minutes_forget_earlier_failures(before: int, ran_s: float) -> None:
    assert backoff.failures_in_a_row(before, ran_s) == 1
