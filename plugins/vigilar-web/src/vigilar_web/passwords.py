"""Checking a password without telling by the time it takes whether there is such a user."""

from __future__ import annotations

import threading

from vigilar_core.config.hashes import is_password_hash, verify_password

#: Each check takes 16 MiB; more than this at once would let strangers spend the machine's memory.
_CHECKS_AT_ONCE = 2
_checking = threading.BoundedSemaphore(_CHECKS_AT_ONCE)
#: Checked when there is no such user or no password, so that the answer takes as long.
_NOBODY = f"{bytes(16).hex()}:{bytes(32).hex()}"


def password_matches(password: str, stored: str) -> bool:
    """Whether a password belongs to a stored hash; an empty or broken hash takes as long."""
    usable = is_password_hash(stored)
    with _checking:
        matches = verify_password(password, stored if usable else _NOBODY)
    return matches and usable
