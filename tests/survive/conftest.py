from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.survive.house import House, run_house, small_disk
from tests.survive.outside_ledger import OutsideLedger


@pytest.fixture(scope="package")
def shared_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all tests that leave it as they found it, its disks small where they can be."""
    folder = tmp_path_factory.mktemp("house")
    with ExitStack() as disks:
        if os.geteuid() == 0:
            disks.enter_context(small_disk(folder / "recordings", 128))
            disks.enter_context(small_disk(folder / "data", 64))
        with run_house(folder) as house:
            yield house


@pytest.fixture(scope="package")
def shared_outside(
    shared_house: House, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OutsideLedger]:
    with OutsideLedger(shared_house.vigilar, tmp_path_factory.mktemp("outside")) as outside:
        yield outside


@pytest.fixture
def house(shared_house: House) -> House:
    """The same with everything running and a recording being written."""
    shared_house.ready()
    return shared_house


@pytest.fixture
def outside(house: House, shared_outside: OutsideLedger) -> OutsideLedger:
    """Events flow."""
    shared_outside.flowing()
    return shared_outside
