"""Messages to the service manager (systemd's ``sd_notify`` protocol); silent without one."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


class ServiceManager:
    """Tells systemd how the supervisor is; every call does nothing where nobody listens.

    :param environment: holds ``NOTIFY_SOCKET`` and ``WATCHDOG_USEC`` under systemd
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        microseconds = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        #: Seconds within which :meth:`alive` must be called; ``None``: nobody watches.
        self.watchdog_s = int(microseconds) / 1e6 if microseconds.isdigit() and ours else None

    def ready(self, status: str) -> None:
        """Start-up or a reload is over."""
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self._send(f"STATUS={text}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """A reload begins (``Type=notify-reload`` wants the monotonic time with it)."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, status: str) -> None:
        """An orderly end begins."""
        self._send(f"STOPPING=1\nSTATUS={status}")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            try:
                sender.sendto(message.encode(), self._address)
            except OSError:
                # A busy or vanished service manager must not stop the house.
                pass
