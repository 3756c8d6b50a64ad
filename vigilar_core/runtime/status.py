"""The supervisor's socket: who asks gets one JSON object, works without a broker.

A Unix stream socket in the runtime folder, mode 0660. A client connects and reads to the
end; whatever it sends is ignored. The answer is one JSON object with ``pid``, ``since_us``,
``status`` and ``services``, see :meth:`vigilar_core.runtime.supervisor.Supervisor.snapshot`.
"""

from __future__ import annotations

import json
import selectors
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vigilar_core.bus.address import connectable
from vigilar_core.errors import NotReadyError

#: Clients served at the same time; more are turned away.
CLIENTS = 16
#: Clients that may wait to be taken in.
_BACKLOG = 128
#: A client that has not read its answer by then is dropped, seconds.
PATIENCE_S = 5.0


def socket_path(runtime_dir: Path) -> Path:
    """Where the supervisor of an installation answers."""
    return runtime_dir / "supervisor.sock"


class _Client:
    def __init__(self, connection: socket.socket, answer: bytes, deadline_s: float) -> None:
        self.connection = connection
        self.rest = memoryview(answer)
        self.deadline_s = deadline_s


class StatusServer:
    """Answers in the supervisor's loop, never waits for a client.

    :param path: the socket; one left over from before is replaced
    :param snapshot: gives the answer
    :param monotonic_s: the clock of the deadlines
    """

    def __init__(
        self,
        path: Path,
        snapshot: Callable[[], Mapping[str, Any]],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._snapshot = snapshot
        self._monotonic_s = monotonic_s
        self._path = path
        self._clients: dict[int, _Client] = {}
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        with connectable(path) as name:
            self._listener.bind(name)
        path.chmod(0o660)
        self._listener.listen(_BACKLOG)
        self._selector = selectors.EpollSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)

    def fileno(self) -> int:
        """Readable when :meth:`serve` has something to do."""
        return self._selector.fileno()

    def serve(self) -> None:
        """Take new clients, go on writing to others, drop the slow; returns at once."""
        for key, _ in self._selector.select(0):
            if key.fileobj is self._listener:
                self._accept()
            else:
                self._write(key.fd)
        now_s = self._monotonic_s()
        for descriptor, client in list(self._clients.items()):
            if now_s >= client.deadline_s:
                self._drop(descriptor)

    def close(self) -> None:
        for descriptor in list(self._clients):
            self._drop(descriptor)
        self._selector.close()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # the client went away again, or descriptors ran out for the moment
        if len(self._clients) >= CLIENTS:
            connection.close()
            return
        connection.setblocking(False)
        answer = json.dumps(self._snapshot()).encode()
        descriptor = connection.fileno()
        deadline_s = self._monotonic_s() + PATIENCE_S
        self._clients[descriptor] = _Client(connection, answer, deadline_s)
        self._selector.register(connection, selectors.EVENT_WRITE)

    def _write(self, descriptor: int) -> None:
        client = self._clients[descriptor]
        try:
            client.rest = client.rest[client.connection.send(client.rest) :]
        except BlockingIOError:
            return
        except OSError:
            self._drop(descriptor)
            return
        if not client.rest:
            self._drop(descriptor)

    def _drop(self, descriptor: int) -> None:
        client = self._clients.pop(descriptor)
        self._selector.unregister(client.connection)
        client.connection.close()


def ask(runtime_dir: Path, timeout_s: float = 5.0) -> dict[str, Any]:
    """Ask the running supervisor how everything is.

    :raises NotReadyError: none answers; says why
    """
    path = socket_path(runtime_dir)
    answer = bytearray()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(timeout_s)
            with connectable(path) as name:
                client.connect(name)
            while piece := client.recv(1 << 16):
                answer += piece
        found = json.loads(answer)
    except (FileNotFoundError, ConnectionRefusedError):
        raise NotReadyError(f"Vigilar does not run: nobody answers at {path}") from None
    except (OSError, ValueError) as error:
        raise NotReadyError(f"the supervisor does not answer at {path}: {error}") from error
    assert isinstance(found, dict)
    return found
