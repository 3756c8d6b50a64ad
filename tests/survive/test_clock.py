"""The wall clock set by a month, forwards and back, while a camera is recorded.

It is set for Python alone: what a file says is added to the wall clock of every process, and the
monotonic clock is left as it is.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.survive.house import House, run_house
from vigilar_core.testing import eventually

DAY_S: Final = 86_400
SITECUSTOMIZE: Final = """
import os, time

def offset_ns():
    try:
        with open(os.environ["CLOCK_OFFSET"]) as file:
            return int(file.read()) * 10**9
    except (KeyError, FileNotFoundError, ValueError):
        return 0

def shifted(real_ns=time.time_ns):
    return real_ns() + offset_ns()

time.time_ns = shifted
time.time = lambda: shifted() / 1e9
"""

pytestmark = pytest.mark.rtsp


@dataclass(frozen=True)
class SetClock:
    """The wall clock of the house: a file that says how far it is from the real one."""

    path: Path

    def days(self, number: int) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(str(number * DAY_S))
        fresh.replace(self.path)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> SetClock:
    return SetClock(tmp_path_factory.mktemp("clock") / "offset")


@pytest.fixture(scope="module")
def house(clock: SetClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    site = tmp_path_factory.mktemp("site")
    (site / "sitecustomize.py").write_text(SITECUSTOMIZE)
    environment = os.environ | {"PYTHONPATH": str(site), "CLOCK_OFFSET": str(clock.path)}
    with run_house(tmp_path_factory.mktemp("house"), environment=environment) as found:
        yield found


def test_a_clock_set_by_a_month_is_told_and_costs_neither_order_nor_pictures(
    house: House, clock: SetClock
) -> None:
    recording = house.open_recording()
    pids = {name: each["pid"] for name, each in house.vigilar.services().items()}
    for days in (30, -30):
        before = house.newest()
        clock.days(days)
        (jump, *_) = eventually(
            lambda before=before: house.events("clock_jumped", after=before), within_s=20
        )
        apart_s = jump["time_us"] / 1e6 - time.time()
        assert abs(apart_s - days * DAY_S) < 60, "the house believes the clock that was set"
    clock.days(0)
    eventually(lambda: len(house.events("clock_jumped")) == 3, within_s=20)

    rows = house.rows("SELECT sequence, time_us FROM events ORDER BY rowid")
    numbers = [row["sequence"] for row in rows]
    assert numbers == sorted(set(numbers))
    times = [row["time_us"] for row in rows]
    assert times != sorted(times), "the times did jump"
    assert {name: each["pid"] for name, each in house.vigilar.services().items()} == pids
    assert not house.row(recording["id"])["sealed"]
    steps = itertools.pairwise(house.pictures(recording, sealed=False))
    assert max(later - earlier for earlier, later in steps) < 0.1
