from __future__ import annotations

import socket

from vigilar_camera_rtsp.sockets import Readable, new_sockets
from vigilar_core.testing import eventually


def test_only_a_new_socket_to_the_peer_is_watched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("", 0)) as other:
        port = server.getsockname()[1]
        stranger = socket.create_connection(("127.0.0.1", other.getsockname()[1]))
        with new_sockets("127.0.0.1", port) as readable:
            mine = socket.create_connection(("127.0.0.1", port))
            second = socket.create_connection(("127.0.0.1", other.getsockname()[1]))
        peer, _ = server.accept()
        for connection, _ in (other.accept(), other.accept()):
            connection.sendall(b"x")
            connection.close()
        assert not readable()
        peer.sendall(b"x")
        eventually(readable)
        for each in (mine, second, stranger, peer):
            each.close()


def test_the_end_of_a_connection_counts_as_something_to_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with new_sockets("127.0.0.1", port) as readable:
            mine = socket.create_connection(("127.0.0.1", port))
        peer, _ = server.accept()
        peer.close()
        eventually(readable)
        mine.close()


def test_without_a_known_socket_the_answer_is_yes() -> None:
    assert Readable()()
