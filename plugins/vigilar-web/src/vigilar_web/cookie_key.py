"""The key that signs cookies: made once, kept beside the database."""

from __future__ import annotations

import secrets
from pathlib import Path

from vigilar_web.certificate import write_private

_BYTES = 32


def cookie_key(data_dir: Path) -> bytes:
    """The key of this installation; a damaged or missing one is made anew, which signs out all."""
    path = data_dir / "web-cookie.key"
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) != _BYTES:
        key = secrets.token_bytes(_BYTES)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, key)
    return key
