"""Hashes of what people know by heart: PIN, passphrase, password.

Two formats, both kept from the first configuration files: PBKDF2 (RFC 8018) for PIN and
passphrase, scrypt (RFC 7914) for the password of the web interface.
"""

from __future__ import annotations

import hashlib
import hmac
import os

_PBKDF2_ROUNDS = 600_000
_PBKDF2_NAME = "pbkdf2_sha256"
_SCRYPT_COST = 16_384
_SCRYPT_BLOCK = 8
_SCRYPT_LANES = 1
_SALT_BYTES = 16
_KEY_BYTES = 32


def hash_pin(pin: str, *, salt: bytes | None = None) -> str:
    """``pbkdf2_sha256$salt$key``, salt and key in hexadecimal, 600 000 rounds.

    :param pin: a PIN or a passphrase
    :param salt: 16 bytes; random when omitted
    """
    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    return f"{_PBKDF2_NAME}${salt.hex()}${_pbkdf2(pin, salt).hex()}"


def verify_pin(pin: str, stored: str) -> bool:
    """Whether a PIN or passphrase is the hashed one; takes the same time for right and wrong.

    :param stored: what :func:`hash_pin` gave; ``False`` for anything else, empty included
    """
    name, _, rest = stored.partition("$")
    salt, key = _parts(rest, "$")
    if name != _PBKDF2_NAME or salt is None or key is None:
        return False
    return hmac.compare_digest(_pbkdf2(pin, salt), key)


def hash_password(password: str, *, salt: bytes | None = None) -> str:
    """``salt:key`` in hexadecimal: scrypt with n=16384, r=8, p=1.

    :param salt: 16 bytes; random when omitted
    """
    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    return f"{salt.hex()}:{_scrypt(password, salt).hex()}"


def verify_password(password: str, stored: str) -> bool:
    """Whether a password is the hashed one; takes the same time for right and wrong.

    :param stored: what :func:`hash_password` gave; ``False`` for anything else, empty included
    """
    salt, key = _parts(stored, ":")
    if salt is None or key is None:
        return False
    return hmac.compare_digest(_scrypt(password, salt), key)


def is_pin_hash(stored: str) -> bool:
    """Whether a text has the form that :func:`hash_pin` gives."""
    name, _, rest = stored.partition("$")
    return name == _PBKDF2_NAME and None not in _parts(rest, "$")


def is_password_hash(stored: str) -> bool:
    """Whether a text has the form that :func:`hash_password` gives."""
    return None not in _parts(stored, ":")


def _pbkdf2(text: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", _bytes(text), salt, _PBKDF2_ROUNDS)


def _scrypt(text: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        _bytes(text),
        salt=salt,
        n=_SCRYPT_COST,
        r=_SCRYPT_BLOCK,
        p=_SCRYPT_LANES,
        maxmem=64 * 1024 * 1024,
        dklen=_KEY_BYTES,
    )


def _bytes(text: str) -> bytes:
    # A terminal in the wrong encoding hands over lone surrogates; they must not raise here.
    return text.encode("utf-8", "surrogatepass")


def _parts(text: str, separator: str) -> tuple[bytes | None, bytes | None]:
    salt, found, key = text.partition(separator)
    if not found:
        return None, None
    return _hex(salt, _SALT_BYTES), _hex(key, _KEY_BYTES)


def _hex(text: str, length: int) -> bytes | None:
    if len(text) != 2 * length or not text.isascii():
        return None
    try:
        value = bytes.fromhex(text)
    except ValueError:
        return None
    return value if len(value) == length else None
