"""The broker service: keeps a private broker running and proves that it answers."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from vigilar_core.bus.address import BrokerAddress, broker_folder, choose_broker, through_descriptor
from vigilar_core.bus.api import Message
from vigilar_core.bus.envelope import MAX_BYTES
from vigilar_core.context import ServiceContext
from vigilar_core.errors import TransientError

_log = structlog.get_logger(__name__)

PROBE_TOPIC: Final = "vigilar/service/broker/probe"
_PROBE_INTERVAL_S: Final = 2.0
#: Without an answer for so long the broker is ended and started anew.
PATIENCE_S: Final = 6.0
_TURN_S: Final = 0.5
_STOP_TIMEOUT_S: Final = 3.0

_MOSQUITTO_CONF: Final = """\
# Generated for the private broker at each start; changes are lost.
listener 0 {socket}
allow_anonymous true
persistence false
user {user}
max_inflight_messages 100
max_queued_messages 20000
max_queued_bytes 67108864
max_packet_size {packet}
message_size_limit {message}
log_dest stderr
log_type error
log_type warning
"""


@dataclass
class Probe:
    """A signed message to oneself through the broker, again and again.

    :param now_s: when the service started, monotonic seconds
    """

    now_s: float
    _number: int = 0
    _asked_s: float = field(default=-1e9)
    _answered_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._answered_s = self.now_s

    def question(self, now_s: float) -> Mapping[str, int] | None:
        """What to publish now, if it is time."""
        if now_s - self._asked_s < _PROBE_INTERVAL_S:
            return None
        self._asked_s = now_s
        self._number += 1
        return {"number": self._number}

    def answered(self, message: Message, now_s: float) -> None:
        """Something came back; only the latest question counts."""
        if message.data.get("number") == self._number:
            self._answered_s = now_s

    def silence_s(self, now_s: float) -> float:
        """For how long there was no answer."""
        return now_s - self._answered_s


def run_broker(context: ServiceContext) -> None:
    """Run the private broker until the service shall end.

    The probe goes through the same client as every other message. While it is not answered the
    broker is of no use, however alive its process is.

    :raises TransientError: it ended by itself or stopped answering
    """
    address = choose_broker(None, context.paths.runtime_dir)
    clock, bus = context.clock, context.bus
    with _running(address, context.paths.runtime_dir) as child:
        probe = Probe(clock.monotonic_s())
        bus.subscribe(PROBE_TOPIC, lambda message: probe.answered(message, clock.monotonic_s()))
        while context.wait(_TURN_S):
            now_s = clock.monotonic_s()
            if child.poll() is not None:
                raise TransientError(f"the broker ended: {explain_exit(child)}")
            if probe.silence_s(now_s) > PATIENCE_S:
                raise TransientError(f"the broker has not answered for {PATIENCE_S:.0f} s")
            if (question := probe.question(now_s)) is not None:
                bus.publish_state(PROBE_TOPIC, question)


def explain_exit(child: subprocess.Popen[bytes]) -> str:
    """How a child ended, with the last it said."""
    code = child.returncode
    if code < 0:
        reason = f"signal {signal.Signals(-code).name}"
        if code == -signal.SIGKILL:
            reason += " (out of memory?)"
    else:
        reason = f"exit code {code}"
    said = child.stderr.read()[-500:].decode(errors="replace").strip() if child.stderr else ""
    return f"{reason}: {said}" if said else reason


@contextmanager
def _running(address: BrokerAddress, runtime_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The broker's process; gone afterwards, also when this process is killed."""
    folder = broker_folder(runtime_dir)
    if address.socket_path is None:
        child = _start([sys.executable, "-m", "vigilar_core.bus.embedded", str(folder)])
    else:
        with through_descriptor(address.socket_path) as (name, descriptor):
            configuration = folder / "mosquitto.conf"
            configuration.write_text(_mosquitto_conf(name))
            child = _start([str(address.program), "-c", str(configuration)], descriptor)
    try:
        yield child
    finally:
        _end(child)


def _mosquitto_conf(socket: str) -> str:
    return _MOSQUITTO_CONF.format(
        socket=socket,
        user=pwd.getpwuid(os.geteuid()).pw_name,
        packet=MAX_BYTES + 4096,
        message=MAX_BYTES,
    )


def _start(command: list[str], *inherited: int) -> subprocess.Popen[bytes]:
    """A child that dies with this process, also when it is stopped at that moment."""
    if (setpriv := shutil.which("setpriv")) is not None:
        command = [setpriv, "--pdeathsig", "KILL", "--", *command]
    else:
        _log.warning("the broker outlives a killed parent: setpriv of util-linux is missing")
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=inherited,
        start_new_session=True,
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stderr is not None:
        child.stderr.close()
