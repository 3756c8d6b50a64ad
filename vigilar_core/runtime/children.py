"""A worker's process as the supervisor holds it: descriptors, signals, reports, output."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
from collections.abc import Mapping
from typing import Any

from vigilar_core.runtime.forkserver import Forked, ForkServer

#: Longest line of output that is kept in one piece, and longest report, bytes.
LONGEST_LINE = 16 * 1024
LONGEST_REPORT = 64 * 1024
#: Reads of one turn of the loop: a worker that floods must not keep the loop busy.
_READS = 8


class Output:
    """The read end of a worker's standard output and error, cut into lines."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._rest = b""
        #: Nothing can come any more: every holder of the other end has closed it.
        self.ended = False

    def fileno(self) -> int:
        return self._descriptor

    def lines(self) -> list[str]:
        """Whole lines that came since the last call; returns at once."""
        data = self._rest
        for _ in range(_READS):
            try:
                piece = os.read(self._descriptor, LONGEST_LINE)
            except BlockingIOError:
                break
            if not piece:
                self.ended = True
                break
            data += piece
        *found, self._rest = data.split(b"\n")
        if len(self._rest) >= LONGEST_LINE:
            found.append(self._rest)
            self._rest = b""
        return [line.decode(errors="replace") for line in found if line.strip()]

    def close(self) -> list[str]:
        """What is left, the last line even without its end."""
        found = self.lines()
        if self._rest.strip():
            found.append(self._rest.decode(errors="replace"))
        os.close(self._descriptor)
        return found


class Child:
    """A worker's process, asked for and perhaps not forked yet.

    :param boot: JSON-compatible, for :func:`vigilar_core.runtime.worker.main`
    :raises ForkServerGoneError: the fork server does not take requests
    """

    def __init__(self, server: ForkServer, boot: Mapping[str, Any]) -> None:
        #: 0 until the fork server answered.
        self.pid = 0
        self._process: int | None = None
        #: The worker has closed its end of the control socket.
        self.silent = False
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        reading, writing = os.pipe()
        try:
            self.request = server.fork(dict(boot), theirs.fileno(), writing)
        except BaseException:
            ours.close()
            os.close(reading)
            raise
        finally:
            theirs.close()
            os.close(writing)
        ours.setblocking(False)
        self.control = ours
        self.output = Output(reading)

    def forked(self, answer: Forked) -> None:
        """It exists now."""
        self.pid, self._process = answer.pid, answer.process

    def stop(self) -> None:
        """Ask for an orderly end: the worker sees its control socket at its end."""
        try:
            self.control.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it ended by itself in the meantime

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; never reaches another process that got the same number."""
        if self._process is None:
            return
        try:
            signal.pidfd_send_signal(self._process, number)
        except ProcessLookupError:
            pass  # ended; the fork server will say how

    def has_ended(self) -> bool:
        """Whether the kernel says that it ended, whatever the fork server says."""
        if self._process is None:
            return False
        poll = select.poll()
        poll.register(self._process, select.POLLIN)
        return bool(poll.poll(0))

    def reports(self) -> list[Mapping[str, Any]]:
        """What the worker said since the last call; returns at once."""
        found: list[Mapping[str, Any]] = []
        for _ in range(_READS):
            try:
                message = self.control.recv(LONGEST_REPORT)
            except (BlockingIOError, ConnectionResetError):
                break
            if not message:
                self.silent = True
                break
            try:
                report = json.loads(message)
            except ValueError:
                continue
            if isinstance(report, dict):
                found.append(report)
        return found

    def close(self) -> list[str]:
        """Let go of its descriptors and return the last lines of its output."""
        self.control.close()
        if self._process is not None:
            os.close(self._process)
            self._process = None
        return self.output.close()
