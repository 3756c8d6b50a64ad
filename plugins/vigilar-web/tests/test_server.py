from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import websocket
from live_server import LiveServer, live_server
from web_house import House

from vigilar_core.errors import TransientError
from vigilar_core.testing import eventually
from vigilar_web import server as server_module
from vigilar_web.server import Server


@pytest.fixture
def live(house: House, tmp_path: Path) -> Iterator[LiveServer]:
    with live_server(house, tmp_path) as found:
        yield found


def test_it_answers_over_tls_that_a_client_can_verify(live: LiveServer) -> None:
    connection = live.connection()
    connection.request("GET", "/health/live")
    assert connection.getresponse().read().strip() == b'{"status":"ok"}'
    connection.close()


def test_it_stops_within_five_seconds_with_streams_open(house: House, tmp_path: Path) -> None:
    with live_server(house, tmp_path) as live:
        connections = []
        for _ in range(10):
            connection = live.connection()
            connection.request("GET", "/events/stream", headers={"Cookie": live.cookie_for()})
            answer = connection.getresponse()
            assert answer.readline().startswith(b"retry")
            connections.append((connection, answer))
        eventually(lambda: house.web.hub.listeners == 10)
        started = time.monotonic()
    assert time.monotonic() - started < 5
    for connection, answer in connections:
        answer.read()
        connection.close()
    assert house.web.hub.listeners == 0


def test_new_events_reach_an_open_stream(live: LiveServer) -> None:
    connection = live.connection()
    connection.request("GET", "/events/stream", headers={"Cookie": live.cookie_for()})
    answer = connection.getresponse()
    eventually(lambda: live.house.web.hub.listeners == 1)
    assert [answer.readline(), answer.readline()] == [b"retry: 2000\n", b"\n"]
    live.house.happens("vigilar/camera/hall/motion/start", zones="door")
    assert answer.readline() == b"id: 1\n"
    assert answer.readline() == b"event: event\n"
    assert json.loads(answer.readline().removeprefix(b"data: "))["title"] == "Movement at Hall"
    connection.close()


def open_socket(
    live: LiveServer, *, origin: str | None = None, cookie: str = "", query: str = ""
) -> websocket.WebSocket:
    found = websocket.WebSocket(sslopt={"ca_certs": str(live.certificate.chain)})
    found.settimeout(10)
    address = f"wss://localhost:{live.port}/ws{query}"
    try:
        found.connect(address, origin=origin or live.origin, cookie=cookie)
    except websocket.WebSocketBadStatusException:
        found.shutdown()
        raise
    return found


def test_new_events_reach_a_websocket(live: LiveServer) -> None:
    live.house.happens("vigilar/camera/hall/motion/start")
    found = open_socket(live, cookie=live.cookie_for(), query="?after=0")
    assert json.loads(found.recv())["sequence"] == 1
    live.house.happens("vigilar/camera/garden/motion/start")
    assert json.loads(found.recv())["camera"] == "garden"
    found.close()


def test_a_websocket_that_talks_is_hung_up_on(live: LiveServer) -> None:
    found = open_socket(live, cookie=live.cookie_for())
    found.send("x" * 100)
    assert found.recv() == ""
    found.shutdown()
    eventually(lambda: live.house.web.streams.open == 0)


def test_class_8_a_websocket_of_another_site_is_refused(live: LiveServer) -> None:
    cookie = live.cookie_for()
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        open_socket(live, origin="https://evil.test", cookie=cookie)
    with pytest.raises(websocket.WebSocketBadStatusException, match="401"):
        open_socket(live)
    open_socket(live, cookie=cookie).close()


@contextmanager
def slow_senders(live: LiveServer, count: int) -> Iterator[None]:
    """Peers that begin a TLS handshake and say no more."""
    with ExitStack() as stack:
        for _ in range(count):
            peer = stack.enter_context(live.plain_socket())
            peer.sendall(b"\x16\x03\x01\x02\x00\x01")
        yield


def test_slow_senders_are_cut_off_and_it_answers_again(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "ARRIVAL_S", 0.3)
    with live_server(house, tmp_path, threads=4) as live, slow_senders(live, 12):
        eventually(lambda: live.server.answers(0.5), what="it answers again", within_s=20)


# The standard library leaves a socket to the collector when its peer is gone before TLS begins.
@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_the_control_without_cutting_off_it_answers_nobody(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with live_server(house, tmp_path, threads=4) as live, slow_senders(live, 12):
        monkeypatch.setattr(server_module, "ARRIVAL_S", 3600.0)
        assert not any(live.server.answers(0.5) for _ in range(4))


def test_silent_peers_cost_no_thread(house: House, tmp_path: Path) -> None:
    with live_server(house, tmp_path, threads=2) as live, ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(live.plain_socket())
        assert live.server.answers(3.0)


def test_peers_that_do_not_say_goodbye_hold_up_nobody(live: LiveServer) -> None:
    with ExitStack() as stack:
        for _ in range(8):
            peer = stack.enter_context(
                live.trust.wrap_socket(live.plain_socket(), server_hostname="localhost")
            )
            peer.sendall(
                b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
        assert live.server.answers(1.5)


def test_it_says_so_when_it_does_not_answer(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert live.server.answers()
    monkeypatch.setitem(live.house.app.view_functions, "health.live", lambda: ("no", 500))
    assert not live.server.answers()


def test_a_taken_port_is_tried_again_later(live: LiveServer) -> None:
    with pytest.raises(TransientError, match=f"cannot listen on 127.0.0.1, port {live.port}"):
        Server(live.house.app, [("127.0.0.1", live.port)], None)


def test_class_22_too_long_a_request_is_refused_unread(live: LiveServer) -> None:
    connection = live.connection()
    connection.putrequest("POST", "/sign-in")
    connection.putheader("Content-Length", str(10**12))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    head = live.connection()
    head.request("GET", "/" + "x" * 10_000)
    assert head.getresponse().status == 414
    head.close()


def test_a_body_of_unknown_length_is_read_up_to_the_limit(live: LiveServer) -> None:
    connection = live.connection()
    pieces = (b"x" * 65536 for _ in range(40))
    try:
        connection.request(
            "POST",
            "/sign-in",
            body=pieces,
            encode_chunked=True,
            headers={"Transfer-Encoding": "chunked"},
        )
        status = connection.getresponse().status
    except OSError:
        status = 413  # refused while it was still sending
    assert status == 413
    connection.close()
