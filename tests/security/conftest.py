from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.security.assembled import Assembled
from tests.security.estate import Estate, run_estate


@pytest.fixture(scope="package")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with run_estate(tmp_path_factory.mktemp("estate")) as found:
        yield found


@pytest.fixture(scope="package")
def assembled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    found = Assembled(tmp_path_factory.mktemp("assembled"))
    yield found
    found.close()
