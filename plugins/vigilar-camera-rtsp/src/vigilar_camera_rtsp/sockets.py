"""Finds the sockets that FFmpeg opened, so that a read is only tried when it has something to read.

FFmpeg does not tell its sockets, and a read of it that must wait for a silent camera can only be
ended by giving the connection up. Linux lists the descriptors of a process; those that are new
after a connection was made, and lead to the camera, are its own.
"""

from __future__ import annotations

import os
import select
import socket
import stat
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")

#: Two connections to one peer are made one after the other, else they could not be told apart.
_peers: defaultdict[tuple[str, int], threading.Lock] = defaultdict(threading.Lock)


class Readable:
    """Tells whether anything has arrived; without a known socket the answer is always yes."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._known = False

    def watch(self, descriptor: int) -> None:
        """Watch one more socket, which must stay open as long as this object is asked."""
        self._poll.register(descriptor, select.POLLIN)
        self._known = True

    def __call__(self) -> bool:
        return not self._known or bool(self._poll.poll(0))


@contextmanager
def new_sockets(host: str, port: int) -> Iterator[Readable]:
    """Collect the sockets to a peer that are opened inside the ``with`` block.

    UDP sockets have no peer: all new ones count, since a foreign one does no more harm than an
    early read.
    """
    readable = Readable()
    with _peers[host, port]:
        before = _sockets()
        yield readable
        for descriptor in _sockets() - before:
            if _belongs(descriptor, port):
                readable.watch(descriptor)


def _sockets() -> set[int]:
    found = set()
    for entry in list(_DESCRIPTORS.iterdir()):
        # The descriptor of the listing itself is gone by the time it is looked at.
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(int(entry.name)).st_mode):
                found.add(int(entry.name))
    return found


def _belongs(descriptor: int, port: int) -> bool:
    try:
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            if copy.family not in (socket.AF_INET, socket.AF_INET6):
                return False
            return copy.type == socket.SOCK_DGRAM or copy.getpeername()[1] == port
    except OSError:
        return False
