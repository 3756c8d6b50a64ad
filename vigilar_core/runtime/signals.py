"""Signals as entries of a queue: the handler does nothing, the loop reads what came."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterable
from types import TracebackType


def _nothing(_number: int, _frame: object) -> None:
    """Python calls this later; the number is in the queue already."""


class SignalQueue:
    """Catches signals while it is entered (signal.set_wakeup_fd).

    :param numbers: the signals to catch
    """

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self._numbers = tuple(numbers)

    def __enter__(self) -> SignalQueue:
        self._reading, self._writing = socket.socketpair()
        self._reading.setblocking(False)
        self._writing.setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        self._handlers = {number: signal.signal(number, _nothing) for number in self._numbers}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._reading.close()
        self._writing.close()

    def fileno(self) -> int:
        """Readable when a signal came."""
        return self._reading.fileno()

    def take(self) -> list[signal.Signals]:
        """The signals that came since the last call, in order."""
        try:
            came = os.read(self._reading.fileno(), 4096)
        except BlockingIOError:
            return []
        return [signal.Signals(number) for number in came if number in self._numbers]
