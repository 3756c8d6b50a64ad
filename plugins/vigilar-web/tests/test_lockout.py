from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st
from web_house import House

from vigilar_web.lockout import LONGEST_BLOCK_S, Bucket, Lockout, block_s, buckets, of_address


@given(st.integers(1, 10_000), st.integers(1, 50))
def test_blocks_never_shrink_and_never_pass_an_hour(count: int, free: int) -> None:
    assert block_s(count, free) <= block_s(count + 1, free) <= LONGEST_BLOCK_S
    assert (block_s(count, free) == 0) is (count < free)


def test_blocks_begin_at_half_a_minute_and_double() -> None:
    assert [block_s(count, 5) for count in range(4, 9)] == [0, 30, 60, 120, 240]


def test_failures_in_a_row_block_and_time_unblocks(house: House) -> None:
    bucket = [Bucket("account:ada", 5)]
    assert [house.web.lockout.begin(bucket) for _ in range(5)] == [0] * 5
    assert house.web.lockout.begin(bucket) == 30
    house.clock.advance(30)
    assert house.web.lockout.begin(bucket) == 0
    assert house.web.lockout.begin(bucket) == 60


def test_a_right_try_empties_the_bucket(house: House) -> None:
    bucket = [Bucket("account:ada", 5)]
    for _ in range(4):
        house.web.lockout.begin(bucket)
    house.web.lockout.succeed(bucket)
    assert [house.web.lockout.begin(bucket) for _ in range(5)] == [0] * 5


def test_class_13_a_restart_forgives_nothing(house: House) -> None:
    bucket = [Bucket("account:ada", 5)]
    for _ in range(5):
        house.web.lockout.begin(bucket)
    assert Lockout(house.engine, house.clock).begin(bucket) == 30


def test_class_13_many_tries_at_once_count_as_many(house: House) -> None:
    bucket = [Bucket("account:ada", 5)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: house.web.lockout.begin(bucket), range(24)))
    assert answers.count(0) == 5


def test_a_clock_set_back_does_not_lengthen_a_block(house: House) -> None:
    bucket = [Bucket("account:ada", 5)]
    for _ in range(5):
        house.web.lockout.begin(bucket)
    house.clock.jump(-30 * 86_400)
    assert 0 < house.web.lockout.begin(bucket) <= LONGEST_BLOCK_S


def test_class_13_a_known_browser_is_not_shut_out_by_strangers(house: House) -> None:
    stranger = buckets("ada", "203.0.113.9", None)
    for _ in range(5):
        house.web.lockout.begin(stranger)
    assert house.web.lockout.begin(stranger) > 0
    assert house.web.lockout.begin(buckets("ada", "192.0.2.7", "the browser of ada")) == 0


def test_class_13_the_addresses_of_one_ipv6_network_count_as_one() -> None:
    assert of_address("2001:db8:1:2:aaaa::1") == of_address("2001:db8:1:2:bbbb::9")
    assert of_address("2001:db8:1:2::1") != of_address("2001:db8:1:3::1")
    assert of_address("192.0.2.1") != of_address("192.0.2.2")
    assert of_address("nonsense") == of_address("")


def test_old_failures_are_forgotten(house: House) -> None:
    bucket = [Bucket("account:ada", 5)]
    for _ in range(4):
        house.web.lockout.begin(bucket)
    house.clock.advance(86_401)
    assert [house.web.lockout.begin(bucket) for _ in range(5)] == [0] * 5
