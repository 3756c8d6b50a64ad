"""Choosing a broker, and reaching sockets with long names."""

from __future__ import annotations

import socket
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from vigilar_core.bus import address as address_module
from vigilar_core.bus.address import choose_broker, connectable
from vigilar_core.config.secret import Secret


@dataclass
class Mqtt:
    host: str = "broker.lan"
    port: int = 8883
    username: str = "house"
    password: Secret = Secret("hush")  # noqa: RUF009
    tls: bool = True
    tls_ca_file: Path | None = Path("/ca.pem")
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None


def test_a_configured_broker_stands_above_all(tmp_path: Path) -> None:
    found = choose_broker(Mqtt(), tmp_path)
    assert (found.host, found.port, found.is_private) == ("broker.lan", 8883, False)
    assert found.tls is not None
    assert found.tls.ca_file == Path("/ca.pem")
    assert "hush" not in repr(found)


def test_mosquitto_is_reached_by_a_unix_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address_module, "find_mosquitto", lambda: "/usr/sbin/mosquitto")
    found = choose_broker(None, tmp_path)
    assert (found.socket_path, found.is_private) == (tmp_path / "broker" / "bus.sock", True)


def test_amqtt_has_the_same_port_and_password_in_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address_module, "find_mosquitto", lambda: None)
    first, second = choose_broker(None, tmp_path), choose_broker(None, tmp_path)
    assert first == second
    assert (first.host, first.version) == ("127.0.0.1", 4)
    note = tmp_path / "broker" / "amqtt.json"
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert stat.S_IMODE(note.parent.stat().st_mode) == 0o700
    assert first.password.reveal() in note.read_text()


@pytest.mark.parametrize("levels", [1, 12])
def test_a_socket_can_be_reached_however_long_its_path_is(tmp_path: Path, levels: int) -> None:
    folder = tmp_path.joinpath(*["long-folder-name"] * levels)
    folder.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        with connectable(folder / "s") as name:
            server.bind(name)
        server.listen()
        with connectable(folder / "s") as name:
            client.connect(name)
    assert (folder / "s").exists()
