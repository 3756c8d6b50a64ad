"""The one-time token that lets the owner of the machine, and nobody else, set the system up."""

from __future__ import annotations

import hmac
import threading
from pathlib import Path

from vigilar_web.certificate import write_private
from vigilar_web.tokens import new_token


class SetupToken:
    """A token that lives in a private file until somebody has used it.

    :param folder: where the file with the set-up address is put
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "setup-url"
        self._token = ""
        self._lock = threading.Lock()

    def announce(self, origin: str) -> str:
        """Make a new token and write the address that carries it, behind the ``#``.

        What stands behind the ``#`` is never sent, so it reaches no log and no referrer.

        :param origin: scheme, host and port: ``https://localhost:49735``
        :returns: the address
        """
        self._token = new_token()
        address = f"{origin}/setup#{self._token}"
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._file, f"{address}\n".encode())
        return address

    def matches(self, token: str) -> bool:
        return bool(self._token) and hmac.compare_digest(self._token.encode(), token.encode())

    def use(self, token: str) -> bool:
        """Whether this is the token; it works once."""
        with self._lock:
            if not self.matches(token):
                return False
            self._token = ""
        self.forget()
        return True

    def forget(self) -> None:
        """Remove the file; the system is set up."""
        self._token = ""
        self._file.unlink(missing_ok=True)
