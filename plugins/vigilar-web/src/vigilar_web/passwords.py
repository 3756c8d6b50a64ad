"""Checking a password without telling by the time it takes whether there is such a user."""

from __future__ import annotations

import threading

from vigilar_core.config.hashes import is_password_hash, verify_password
from vigilar_core.errors import TransientError

#: Each check takes 16 MiB; more than this at once would let strangers spend the machine's memory.
_CHECKS_AT_ONCE = 2
#: Who waits for a turn holds a thread of the server; not for longer than this, seconds.
_PATIENCE_S = 5.0
_checking = threading.BoundedSemaphore(_CHECKS_AT_ONCE)
#: Checked when there is no such user or no password, so that the answer takes as long.
_NOBODY = f"{bytes(16).hex()}:{bytes(32).hex()}"


def password_matches(password: str, stored: str) -> bool:
    """Whether a password belongs to a stored hash; an empty or broken hash takes as long.

    :raises TransientError: too many are being checked
    """
    usable = is_password_hash(stored)
    if not _checking.acquire(timeout=_PATIENCE_S):
        raise TransientError("too many passwords are being checked", retry_after_s=5.0)
    try:
        matches = verify_password(password, stored if usable else _NOBODY)
    finally:
        _checking.release()
    return matches and usable
