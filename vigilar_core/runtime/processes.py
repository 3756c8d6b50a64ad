"""The processes of the crew: asked for at the fork server, listened to, seen ending."""

from __future__ import annotations

import logging
import os
import selectors
from collections.abc import Callable
from functools import partial
from typing import Any

from vigilar_core.runtime.crew import Crew, Worker, print_lines
from vigilar_core.runtime.forkserver import Ended, Forked, ForkServer, ForkServerGoneError

#: Modules that every worker needs; the lower ones are imported late by the ones above.
CORE_PRELOAD = (
    "vigilar_core.runtime.worker",
    "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.hazmat.primitives.kdf.hkdf",
    "encodings.idna",
)

log = logging.getLogger(__name__)


class Processes:
    """Starts what is due and tells the crew what became of it.

    :param selector: of the supervisor's loop; the data of each key is a function to call
    """

    def __init__(self, crew: Crew, selector: selectors.BaseSelector) -> None:
        self._crew = crew
        self._selector = selector
        self._server: ForkServer | None = None
        self._preload_works = True

    @property
    def server_pid(self) -> int | None:
        """Process id of the fork server; ``None`` before the first start."""
        return self._server.pid if self._server is not None else None

    def start_due(self) -> None:
        """Start every worker whose time has come."""
        for worker in self._crew.due():
            try:
                self._crew.start(worker, self._fork_server())
            except ForkServerGoneError:
                self._server_gone()
                return
            assert worker.child is not None
            self._register(worker.child.output, partial(self._print, worker))
            self._register(worker.child.control, partial(self._hear, worker))

    def _fork_server(self) -> ForkServer:
        if self._server is None:
            preload = list(CORE_PRELOAD)
            if self._preload_works:
                for worker in self._crew.workers.values():
                    preload += worker.plan.preload
            self._server = ForkServer(list(dict.fromkeys(preload)))
            self._register(self._server, self._hear_server)
        return self._server

    def _hear_server(self) -> None:
        assert self._server is not None
        try:
            answers = self._server.answers()
        except ForkServerGoneError:
            self._server_gone()
            return
        for answer in answers:
            worker = self._worker_of(answer.request)
            match answer:
                case Forked() if worker is not None and worker.child is not None:
                    self._crew.forked(worker, answer)
                case Forked():
                    os.close(answer.process)
                case Ended() if worker is not None:
                    self._ended(worker, answer.exit_code)

    def _worker_of(self, request: int) -> Worker | None:
        for worker in self._crew.workers.values():
            if worker.child is not None and worker.child.request == request:
                return worker
        return None

    def _server_gone(self) -> None:
        """Its workers died with it; all are started again by a new one."""
        server, self._server = self._server, None
        if server is None:
            return
        log.error("the fork server (process %d) ended, and its workers with it", server.pid)
        if not server.proven:
            log.error("it never forked a worker: going on without preloading plugins' modules")
            self._preload_works = False
        self._selector.unregister(server)
        server.close()
        for worker in list(self._crew.workers.values()):
            if worker.child is not None:
                self._ended(worker, None)

    def watch(self) -> None:
        """Replace a fork server that stands still."""
        server = self._server
        if server is not None and self._crew.server_is_stuck(proven=server.proven):
            log.error("the fork server (process %d) does not answer: starting another", server.pid)
            self._server_gone()

    def _ended(self, worker: Worker, exit_code: int | None) -> None:
        assert worker.child is not None
        for source in (worker.child.output, worker.child.control):
            if source.fileno() in self._selector.get_map():
                self._selector.unregister(source)
        self._crew.ended(worker, exit_code)

    def _print(self, worker: Worker) -> None:
        if worker.child is not None:
            lines = worker.child.output.lines()
            print_lines(worker, lines)
            if worker.child.output.ended:
                self._selector.unregister(worker.child.output)

    def _hear(self, worker: Worker) -> None:
        if worker.child is not None:
            self._crew.read(worker)
            if worker.child.silent:
                self._selector.unregister(worker.child.control)

    def _register(self, source: Any, action: Callable[[], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, action)

    def close(self) -> None:
        """End the fork server, and with it every process that is left."""
        if self._server is not None:
            self._selector.unregister(self._server)
            self._server.close()
            self._server = None
