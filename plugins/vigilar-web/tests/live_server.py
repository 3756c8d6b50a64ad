"""A web behind a real server with TLS, and a client that trusts its certificate only."""

from __future__ import annotations

import datetime
import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from web_house import House

from vigilar_core.testing import eventually
from vigilar_web.certificate import Certificate, self_signed
from vigilar_web.server import Server


class LiveServer:
    """A running server over a house."""

    def __init__(self, house: House, folder: Path, *, threads: int = 32) -> None:
        self.house = house
        self.certificate: Certificate = self_signed(
            folder / "certs", datetime.datetime.now(datetime.UTC), ["localhost", "127.0.0.1"]
        )
        self.server = Server(house.app, [("127.0.0.1", 0)], self.certificate, threads=threads)
        self.port = self.server.addresses[0][1]
        self.origin = f"https://localhost:{self.port}"
        self.trust = ssl.create_default_context(cafile=str(self.certificate.chain))

    def connection(self, timeout_s: float = 10) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            "localhost", self.port, context=self.trust, timeout=timeout_s
        )

    def plain_socket(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def cookie_for(self, name: str = "admin") -> str:
        """A signed-in browser's cookie."""
        client = self.house.client(None)
        self.house.sign_in_as(client, name)
        cookie = client.get_cookie("__Host-vigilar")
        assert cookie is not None
        return f"__Host-vigilar={cookie.value}"


@contextmanager
def live_server(house: House, folder: Path, *, threads: int = 32) -> Iterator[LiveServer]:
    live = LiveServer(house, folder, threads=threads)
    live.server.start()
    try:
        eventually(live.server.answers, what="the server answers")
        yield live
    finally:
        live.server.stop(before_cut=house.web.hub.close)
