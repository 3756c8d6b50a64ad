"""The HTTP server: gunicorn's threaded worker in a thread of this process.

Gunicorn's arbiter, which starts and watches worker processes, is left out: Vigilar's
supervisor does that for every service. What is proven here instead is that the server
answers, by asking it over its own socket (:meth:`Server.answers`).
"""

from __future__ import annotations

import http.client
import logging
import os
import selectors
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn, ThreadWorker

from vigilar_core.errors import TransientError
from vigilar_web.certificate import Certificate
from vigilar_web.whole_requests import WholeRequests

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 256
#: A request whose head and body have not arrived by then is cut off, seconds.
ARRIVAL_S = 15.0
#: Requests get this long to finish when the server stops, and again after being cut off, seconds.
GRACE_S = 1.5
_log = logging.getLogger(__name__)


class _Application(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's settings, without command line, environment or file."""

    def __init__(self, app: WSGIApplication, options: dict[str, Any]) -> None:
        self._app, self._options = app, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        return self._app


class _Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """The threaded worker, told to leave signals alone and to be impatient with slow senders."""

    def __init__(self, application: _Application, sockets: Sequence[Any], log: Logger) -> None:
        cfg = application.cfg
        super().__init__(0, os.getppid(), list(sockets), application, cfg.timeout, cfg, log)
        self._lock = threading.Lock()
        self._known: weakref.WeakSet[TConn] = weakref.WeakSet()
        #: Connection and time by the thread that waits for the request.
        self._arriving: dict[int, tuple[TConn, float]] = {}

    def init_signals(self) -> None:
        """Signals belong to the service's main thread."""

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.wsgi: WSGIApplication = WholeRequests(self.app.wsgi(), self._arrived)

    def end(self) -> None:
        self.handle_exit(None, None)

    def close(self) -> None:
        """Give back what gunicorn leaves to the end of its process."""
        self.tmp.close()
        for descriptor in self.PIPE:
            os.close(descriptor)

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection a thread, a new one only once it has sent something."""
        with self._lock:
            self._known.add(conn)
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(
            conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn)
        )

    def handle(self, conn: TConn) -> Any:
        with self._lock:
            self._arriving[threading.get_ident()] = conn, time.monotonic()
        try:
            result = super().handle(conn)
        finally:
            self._arrived()
        if result is False:
            # Gunicorn would wait for the peer's goodbye, up to two seconds, in the thread that
            # accepts connections; here only this connection's own thread waits.
            conn.close(graceful=True)
            conn.close = _closed_already
        return result

    def _arrived(self) -> None:
        with self._lock:
            self._arriving.pop(threading.get_ident(), None)

    def cut_slow(self) -> None:
        """Cut off whoever takes too long to send a request; a thread waits for each."""
        limit = time.monotonic() - ARRIVAL_S
        with self._lock:
            slow = [conn for conn, since in self._arriving.values() if since < limit]
        _cut(slow)

    def cut_all(self) -> None:
        with self._lock:
            left = list(self._known)
        _cut(left)


def _closed_already(*, graceful: bool = False) -> None:
    """Takes the place of a connection's ``close`` once that was done."""


def _cut(connections: Iterable[TConn]) -> None:
    for connection in connections:
        try:
            # Past TLS on purpose: its own shutdown would wait for the peer.
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
        except OSError:
            continue  # gone already


class Server:
    """Serves a WSGI application on some addresses.

    :param binds: addresses and ports, at least one; port 0: any free one
    :param certificate: for TLS; ``None``: plain HTTP
    :param threads: requests and streams at once
    :raises TransientError: an address cannot be listened on
    """

    def __init__(
        self,
        app: WSGIApplication,
        binds: Sequence[tuple[str, int]],
        certificate: Certificate | None,
        *,
        threads: int = THREADS,
    ) -> None:
        application = _Application(app, _options(certificate, threads))
        log = Logger(application.cfg)
        _use_our_log(log)
        self._tls = certificate is not None
        self._sockets = [_listen(host, port) for host, port in binds]
        self.addresses: Sequence[tuple[str, int]] = [
            each.getsockname()[:2] for each in self._sockets
        ]
        self._worker = _Worker(application, self._sockets, log)
        self._thread = threading.Thread(target=self._serve, name="http-server", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether its thread lives."""
        return self._thread.is_alive()

    def answers(self, timeout_s: float = 3.0) -> bool:
        """Whether a real request over a real connection gets its answer in time."""
        self._worker.cut_slow()
        if not self.running:
            return False
        connection = self._connection(timeout_s)
        try:
            connection.request("GET", "/health/live", headers={"Host": "localhost"})
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException) as error:
            _log.warning("the web server does not answer: %s", error)
            return False
        finally:
            connection.close()

    def stop(self, *, before_cut: Callable[[], None] = lambda: None) -> None:
        """Stop listening, let requests finish for a moment, then cut what is left.

        :param before_cut: asks streams to end
        """
        before_cut()
        self._worker.end()
        self._thread.join(GRACE_S)
        if self.running:
            self._worker.cut_all()
            self._thread.join(GRACE_S)
        if self.running:
            _log.error("the web server does not end; a view is stuck")
            return
        for each in self._sockets:
            each.close()
        self._worker.close()

    def _serve(self) -> None:
        try:
            self._worker.init_process()
        except Exception:  # noqa: BLE001 - the end of a thread
            # The service's loop finds the server ended and is started anew.
            _log.exception("the web server failed")

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        host, port = self.addresses[0]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
        if not self._tls:
            return http.client.HTTPConnection(host, port, timeout=timeout_s)
        # It asks whether this process answers on its own socket; who could impersonate it here
        # would hold the port already.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        found = socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise TransientError(f"cannot listen on {host}, port {port}: {error.strerror}") from error
    # Inherited by what it accepts: small answers must not wait for each other.
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def _options(certificate: Certificate | None, threads: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "worker_class": "gthread",
        "threads": threads,
        "worker_connections": 1000,
        # Gunicorn's own end closes a pipe that late threads would still write to, so connections
        # are cut before: see Server.stop.
        "graceful_timeout": 60,
        "keepalive": 5,
        "forwarded_allow_ips": "",
        "limit_request_line": 4094,
        "limit_request_fields": 60,
        "limit_request_field_size": 8190,
        "accesslog": None,
        "errorlog": "-",
        "control_socket_disable": True,
        "sendfile": False,
    }
    if certificate is not None:
        options["certfile"] = str(certificate.chain)
        options["keyfile"] = str(certificate.key)
        options["ssl_context"] = _one_context()
    return options


def _one_context() -> Callable[[Any, Callable[[], ssl.SSLContext]], ssl.SSLContext]:
    """Read the key once, not for every connection."""
    made: list[ssl.SSLContext] = []

    def context(_configuration: Any, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        if not made:
            fresh = default()
            fresh.minimum_version = ssl.TLSVersion.TLSv1_2
            made.append(fresh)
        return made[0]

    return context


def _use_our_log(log: Logger) -> None:
    """Send gunicorn's messages the way of all others."""
    log.error_log.handlers.clear()
    log.error_log.propagate = True
    # Below that it reports every peer that speaks no HTTP or distrusts the certificate.
    log.error_log.setLevel(logging.ERROR)
