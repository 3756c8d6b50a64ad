"""amqtt as the private broker where no mosquitto is installed; a process of its own.

Started by :func:`vigilar_core.bus.broker.run_broker` as ``python -m``, with the broker's folder
as the only argument; port and password are in a file there that only its owner can read.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from amqtt.broker import Broker
from amqtt.contexts import BaseContext
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session


class PasswordPlugin(BaseAuthPlugin):  # type: ignore[misc]  # amqtt ships no types
    """Lets in who knows the password of this boot."""

    @dataclass
    class Config:
        """Set by :func:`serve`."""

        password: str = ""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)

    async def authenticate(self, *, session: Session) -> bool | None:
        offered = (session.password or "").encode()
        return hmac.compare_digest(offered, self.config.password.encode())


async def serve(folder: Path) -> None:
    """Serve on the loopback until SIGTERM."""
    known = json.loads((folder / "amqtt.json").read_bytes())
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{known['port']}"}},
            "plugins": {
                "vigilar_core.bus.embedded.PasswordPlugin": {"password": known["password"]}
            },
        }
    )
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await broker.start()
    await stopped.wait()
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
