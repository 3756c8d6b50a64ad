"""Where the broker is, and how it is spoken to."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from vigilar_core.config.secret import Secret

#: Longest path the kernel takes for a unix socket (``sun_path``, unix(7)), less the final zero.
_LONGEST_SOCKET_PATH: Final = 107


class MqttSettings(Protocol):
    """What the section ``[mqtt]`` says of a broker of the operator's own."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def username(self) -> str: ...
    @property
    def password(self) -> Secret: ...
    @property
    def tls(self) -> bool: ...
    @property
    def tls_ca_file(self) -> Path | None: ...
    @property
    def tls_certificate_file(self) -> Path | None: ...
    @property
    def tls_key_file(self) -> Path | None: ...


@dataclass(frozen=True, slots=True)
class Tls:
    """How the broker's certificate is checked, and what is shown to it.

    :param ca_file: authorities trusted instead of the system's
    """

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker that can be connected to.

    :param socket_path: unix socket; ``None``: TCP to ``host`` and ``port``
    :param version: of MQTT: 5 or 4, which is 3.1.1
    :param program: what the core's own broker service runs; ``None``: somebody else's broker
    """

    socket_path: Path | None = None
    host: str = ""
    port: int = 0
    username: str = ""
    password: Secret = field(default_factory=Secret)
    tls: Tls | None = None
    version: int = 5
    program: str | None = None

    @property
    def is_private(self) -> bool:
        """Whether the core has to run it."""
        return self.program is not None

    def __str__(self) -> str:
        return str(self.socket_path) if self.socket_path else f"{self.host}:{self.port}"


def choose_broker(settings: MqttSettings | None, runtime_dir: Path) -> BrokerAddress:
    """The configured broker, else a private mosquitto, else a private amqtt.

    The answer is the same in every process of one installation: what has to be remembered is kept
    in the runtime directory.

    :param settings: the section ``[mqtt]``; ``None`` when the file has none
    :param runtime_dir: of the installation
    """
    if settings is not None:
        return BrokerAddress(
            host=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password,
            tls=_tls(settings),
        )
    folder = runtime_dir / "broker"
    if (program := find_mosquitto()) is not None:
        return BrokerAddress(socket_path=folder / "bus.sock", program=program)
    return _embedded(folder)


def find_mosquitto() -> str | None:
    """The program; system users often have no ``/usr/sbin`` in their path."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def broker_folder(runtime_dir: Path) -> Path:
    """The private broker's folder, for its owner only."""
    folder = runtime_dir / "broker"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


@contextmanager
def connectable(path: Path) -> Iterator[str]:
    """A name for a socket that the kernel takes however long the path is."""
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        yield str(path)
        return
    with through_descriptor(path) as (name, _):
        yield name


@contextmanager
def through_descriptor(path: Path) -> Iterator[tuple[str, int]]:
    """A short name without white space for a file, by way of a descriptor of its folder.

    The name holds while the context is open, and in a child that inherits the descriptor.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}", folder
    finally:
        os.close(folder)


def _tls(settings: MqttSettings) -> Tls | None:
    if not settings.tls:
        return None
    return Tls(settings.tls_ca_file, settings.tls_certificate_file, settings.tls_key_file)


def _embedded(folder: Path) -> BrokerAddress:
    """amqtt on a port of the loopback, with a password, both remembered for this boot."""
    note = folder / "amqtt.json"
    try:
        known = json.loads(note.read_bytes())
        port, password = int(known["port"]), str(known["password"])
    except (OSError, ValueError, KeyError, TypeError):
        port, password = _remember(broker_folder(folder.parent) / "amqtt.json")
    return BrokerAddress(
        host="127.0.0.1",
        port=port,
        username="vigilar",
        password=Secret(password),
        version=4,
        program="amqtt",
    )


def _remember(note: Path) -> tuple[int, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    password = secrets.token_urlsafe(24)
    aside = note.with_suffix(f".{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"port": port, "password": password}, file)
    aside.replace(note)
    return port, password
