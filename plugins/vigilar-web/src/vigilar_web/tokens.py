"""Random tokens and the one-way forms in which they are kept."""

from __future__ import annotations

import hashlib
import secrets


def new_token() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What the database keeps of a token; a fast hash is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def fingerprint(secret: str) -> str:
    """A short mark by which two values of a secret can be told apart; empty for an empty one."""
    return hashlib.sha256(b"fingerprint\0" + secret.encode()).hexdigest()[:32] if secret else ""
