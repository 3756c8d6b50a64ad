from __future__ import annotations

import select
import threading

import pytest

from vigilar_core.errors import ConfigurationError
from vigilar_core.runtime.errand import Errand


def wait_for(errand: Errand[object]) -> None:
    poll = select.poll()
    poll.register(errand, select.POLLIN)
    assert poll.poll(5000)


def test_the_result_comes_when_the_work_is_over_and_not_before() -> None:
    go = threading.Event()
    errand: Errand[object] = Errand(lambda: go.wait(5) and "done")
    assert not select.select([errand], [], [], 0)[0]
    go.set()
    wait_for(errand)
    assert errand.take() == "done"


def test_an_error_is_raised_where_the_result_is_taken() -> None:
    def fail() -> object:
        raise ConfigurationError("no such key")

    errand: Errand[object] = Errand(fail)
    wait_for(errand)
    with pytest.raises(ConfigurationError, match="no such key"):
        errand.take()
