"""The connection to the broker: one thread that keeps it up for ever and does nothing else.

The thread hands over what arrives through a callback that must be quick and must not raise. A new
MQTT client is made for each connection, so that nothing of a lost one is sent again by it: what
must not be lost is resent by whoever owns it, signed anew. paho's own thread is not used, because
an exception in one of its callbacks ends that thread while the client still calls itself
connected, and because it would wait for a silent broker's answer for ever.
"""

from __future__ import annotations

import math
import os
import random
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion

from vigilar_core.bus.address import BrokerAddress, connectable
from vigilar_core.bus.envelope import MAX_BYTES

_log = structlog.get_logger(__name__)

#: Longest wait for the broker's answer to a connection, seconds.
_CONNECT_TIMEOUT_S: Final = 10.0
_KEEPALIVE_S: Final = 20
#: Unconfirmed QoS 1 messages; what brokers grant by default. paho heeds no Receive Maximum.
_IN_FLIGHT: Final = 20
#: Longest time for the last messages of a connection that is closed, seconds.
_FAREWELL_S: Final = 2.0
_FIRST_PAUSE_S: Final = 0.2
#: Longest sleep of the network thread: connected, a fifth of the keep-alive; and otherwise.
_RESTING_MS: Final = _KEEPALIVE_S * 1000 // 5
_BUSY_MS: Final = 1000
_LONGEST_PAUSE_S: Final = 15.0
#: The same for a broker of one's own: everything waits for its return, and asking costs nothing.
_PRIVATE_PAUSE_S: Final = 1.0
#: An outage is worth a warning after so long, and again after so long, seconds.
_QUIET_S: Final = 5.0
_REPORT_INTERVAL_S: Final = 60.0
#: Messages handed to the client and not yet written or confirmed; more are refused.
_UNSENT_LIMIT: Final = 5000


@dataclass(frozen=True, slots=True)
class Will:
    """A retained message the broker publishes when the connection breaks."""

    topic: str
    payload: bytes


@dataclass(eq=False)
class _Connection:
    """One connection and how much it has been given.

    ``handed`` is counted by the callers, ``done`` by the network thread alone: a lock around both
    would be taken inside paho's own locks on one side and around them on the other.
    """

    client: mqtt.Client
    handed: int = 0
    done: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self) -> bool:
        with self.lock:
            if self.handed - self.done >= _UNSENT_LIMIT:
                return False
            self.handed += 1
            return True

    @property
    def is_drained(self) -> bool:
        return self.handed <= self.done and not self.client.want_write()


class Link:
    """Keeps a connection, subscribes, receives, sends.

    :param address: of the broker
    :param client_id: MQTT client identifier, one connection each
    :param will: asked before each connection
    :param on_connected: in the network thread, once subscriptions are on their way
    :param on_message: in the network thread: topic and payload as they came
    """

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        *,
        will: Callable[[], Will | None],
        on_connected: Callable[[], None],
        on_message: Callable[[str, bytes], None],
    ) -> None:
        self._address = address
        self._client_id = client_id
        self._will = will
        self._on_connected = on_connected
        self._on_message = on_message
        self._patterns: dict[str, int] = {}
        self._current: _Connection | None = None
        self._closing = threading.Event()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._kicked = False
        self._thread = threading.Thread(target=self._run, name="bus", daemon=True)
        self._give_up_at = math.inf
        self._was_connected = False
        self._outage_s: float | None = None
        self._report_s = 0.0
        #: Why there is no connection; empty while there is one.
        self.trouble = "not connected yet"

    @property
    def connected(self) -> bool:
        return self._current is not None

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Send what is waiting, then end the connection in an orderly way."""
        self._closing.set()
        self._kick()
        if self._thread.is_alive():
            self._thread.join(timeout=_CONNECT_TIMEOUT_S + _FAREWELL_S)

    def subscribe(self, pattern: str, qos: int = 1) -> None:
        """Subscribe now and after each reconnection."""
        if pattern in self._patterns:
            return
        self._patterns[pattern] = qos
        if (connection := self._current) is not None:
            connection.client.subscribe(pattern, qos)
            self._kick()

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> bool:
        """Hand a message to the connection; from any thread.

        :returns: ``False``: there is no connection, or it does not take more
        """
        connection = self._current
        if connection is None or not connection.admit():
            return False
        connection.client.publish(topic, payload, qos, retain)
        self._kick()
        return True

    def _kick(self) -> None:
        if not self._kicked:
            self._kicked = True
            os.eventfd_write(self._wake, 1)

    # ----------------------------------------------------------- in the network thread

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        longest_s = _PRIVATE_PAUSE_S if self._address.is_private else _LONGEST_PAUSE_S
        while not self._closing.is_set():
            self._was_connected = False
            try:
                self._connection()
            except Exception as error:  # noqa: BLE001 - paho raises what the socket, TLS or a
                # broken peer makes of it; the thread must outlive all of them
                self.trouble = f"{type(error).__name__}: {error}"
            if self._closing.is_set():
                return
            if self._was_connected:
                pause_s = _FIRST_PAUSE_S
            self._report()
            self._closing.wait(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            pause_s = min(2 * pause_s, longest_s)

    def _report(self) -> None:
        """Say why there is no connection: at the start of an outage quietly, then once a minute."""
        now_s = time.monotonic()
        if self._was_connected or self._outage_s is None:
            self._outage_s, self._report_s = now_s, now_s + _QUIET_S
            _log.info("no broker", address=str(self._address), reason=self.trouble)
        elif now_s >= self._report_s:
            self._report_s = now_s + _REPORT_INTERVAL_S
            outage_s = round(now_s - self._outage_s)
            _log.warning(
                "no broker", address=str(self._address), reason=self.trouble, for_s=outage_s
            )

    def _connection(self) -> None:
        connection = _Connection(self._make_client())
        client = connection.client
        client.user_data_set(connection)
        try:
            self._open(client)
            self._serve(connection)
        finally:
            self._current = None
            client.disconnect()
            client.loop_write()
            if (left := client.socket()) is not None:
                left.close()

    def _serve(self, connection: _Connection) -> None:
        """Move bytes until the connection ends or is ended."""
        client, poll = connection.client, select.poll()
        poll.register(self._wake, select.POLLIN)
        deadline = time.monotonic() + _CONNECT_TIMEOUT_S
        while (channel := client.socket()) is not None:
            self._turn(client, channel, poll)
            if self._current is None and time.monotonic() > deadline:
                raise TimeoutError("the broker does not answer")
            if not self._closing.is_set():
                continue
            self._give_up_at = min(self._give_up_at, time.monotonic() + _FAREWELL_S)
            if connection.is_drained or time.monotonic() > self._give_up_at:
                return

    def _turn(self, client: mqtt.Client, channel: Any, poll: select.poll) -> None:
        """Wait for the socket or for something to send, then do it."""
        poll.register(channel, select.POLLIN | (select.POLLOUT if client.want_write() else 0))
        hidden = isinstance(channel, ssl.SSLSocket) and channel.pending() > 0
        rests = self._current is not None and not self._closing.is_set()
        ready = dict(poll.poll(0 if hidden else _RESTING_MS if rests else _BUSY_MS))
        if ready.pop(self._wake, 0):
            # The flag first: whoever sets it again has handed his message over already, and what
            # was handed over is looked for below.
            self._kicked = False
            os.eventfd_read(self._wake)
        if hidden or any(flags & ~select.POLLOUT for flags in ready.values()):
            client.loop_read()
        if client.want_write():
            client.loop_write()
        client.loop_misc()

    def _open(self, client: mqtt.Client) -> None:
        path = self._address.socket_path
        if path is None:
            client.connect(self._address.host, self._address.port, keepalive=_KEEPALIVE_S)
            return
        with connectable(path) as name:
            # paho leaves its socket open when nobody listens; this one is closed.
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
                knock.settimeout(_CONNECT_TIMEOUT_S)
                knock.connect(name)
            client.connect(name, keepalive=_KEEPALIVE_S)

    def _make_client(self) -> mqtt.Client:
        address = self._address
        version_5 = address.version == 5
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=mqtt.MQTTv5 if version_5 else mqtt.MQTTv311,
            transport="tcp" if address.socket_path is None else "unix",
            **({} if version_5 else {"clean_session": True}),
        )
        client.suppress_exceptions = True
        client.connect_timeout = _CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(_IN_FLIGHT)
        if address.username:
            client.username_pw_set(address.username, address.password.reveal() or None)
        if address.tls is not None:
            client.tls_set_context(_tls_context(address))
        if (will := self._will()) is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._message
        client.on_publish = self._published
        # With a function for this paho leaves all writing to this thread's loop.
        client.on_socket_register_write = _nothing
        return client

    def _connected(
        self,
        client: mqtt.Client,
        connection: _Connection,
        _flags: object,
        reason: Any,
        _props: object,
    ) -> None:
        if reason.is_failure:
            self.trouble = f"the broker refused: {reason}"
            return
        self._current = connection
        self._was_connected = True
        for pattern, qos in list(self._patterns.items()):
            client.subscribe(pattern, qos)
        self.trouble = ""
        self._on_connected()

    def _disconnected(
        self, _client: mqtt.Client, _userdata: object, _flags: object, reason: Any, _props: object
    ) -> None:
        self.trouble = self.trouble or f"connection lost: {reason}"

    def _message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        if len(message.payload) > MAX_BYTES:
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        self._on_message(topic, bytes(message.payload))

    def _published(
        self, _client: mqtt.Client, connection: _Connection, *_arguments: object
    ) -> None:
        connection.done += 1


def _nothing(*_arguments: object) -> None:
    """A callback that has nothing to do."""


def _tls_context(address: BrokerAddress) -> ssl.SSLContext:
    assert address.tls is not None
    context = ssl.create_default_context(cafile=address.tls.ca_file)
    if address.tls.certificate_file is not None:
        context.load_cert_chain(address.tls.certificate_file, address.tls.key_file)
    return context
