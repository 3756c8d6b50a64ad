"""Reading the configuration again, beside the supervisor's loop, which must not wait for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Errand(Generic[Result]):
    """One slow piece of work in a thread, its end noticed by the loop.

    :param work: returns the result or raises
    """

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        self._done = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._result: Result | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="errand", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """Readable when the work is over."""
        return self._done

    def _run(self) -> None:
        try:
            self._result = self._work()
        except Exception as error:  # noqa: BLE001  # handed to whoever takes the result
            self._error = error
        os.eventfd_write(self._done, 1)

    def take(self) -> Result:
        """The result, once.

        :raises Exception: what the work raised
        """
        self._thread.join()
        os.close(self._done)
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result
