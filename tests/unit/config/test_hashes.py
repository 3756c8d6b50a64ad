"""Hashes of PIN, passphrase and password: formats, round trips, refusals."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilar_core.config import hashes

SALT = bytes(range(16))


def test_a_pin_is_hashed_with_600_000_rounds_of_pbkdf2() -> None:
    key = hashlib.pbkdf2_hmac("sha256", b"1234", SALT, 600_000)
    assert hashes.hash_pin("1234", salt=SALT) == f"pbkdf2_sha256${SALT.hex()}${key.hex()}"


def test_a_password_is_hashed_with_scrypt() -> None:
    key = hashlib.scrypt(b"swordfish", salt=SALT, n=16384, r=8, p=1, dklen=32)
    assert hashes.hash_password("swordfish", salt=SALT) == f"{SALT.hex()}:{key.hex()}"


def test_each_hash_has_a_salt_of_its_own() -> None:
    assert hashes.hash_password("a") != hashes.hash_password("a")
    assert hashes.hash_pin("a") != hashes.hash_pin("a")


@settings(max_examples=4, deadline=None)
@given(text=st.text(st.characters(), max_size=20), other=st.text(max_size=20))
def test_only_the_hashed_text_verifies(text: str, other: str) -> None:
    pin, password = hashes.hash_pin(text, salt=SALT), hashes.hash_password(text, salt=SALT)
    assert hashes.verify_pin(text, pin)
    assert hashes.verify_password(text, password)
    assert hashes.verify_pin(other, pin) is (other == text)
    assert hashes.verify_password(other, password) is (other == text)


@pytest.mark.parametrize("position", [0, 13, 14, 30, 45, 46, 70, -1])
def test_a_changed_character_of_a_stored_hash_never_verifies(position: int) -> None:
    stored = list(hashes.hash_pin("1234", salt=SALT))
    stored[position] = "0" if stored[position] != "0" else "1"
    assert not hashes.verify_pin("1234", "".join(stored))


@given(stored=st.text(max_size=60) | st.from_regex(r"[0-9a-f]{0,34}[:$][0-9a-f]{0,66}"))
def test_what_is_no_hash_verifies_nothing_and_raises_nothing(stored: str) -> None:
    assert not hashes.verify_pin("", stored)
    assert not hashes.verify_password("", stored)
    assert not hashes.is_pin_hash(stored)


def test_the_two_formats_are_told_apart() -> None:
    pin, password = hashes.hash_pin("1234", salt=SALT), hashes.hash_password("1234", salt=SALT)
    assert hashes.is_pin_hash(pin)
    assert hashes.is_password_hash(password)
    assert not hashes.is_pin_hash(password)
    assert not hashes.is_password_hash(pin)
    assert not hashes.verify_pin("1234", password)
    assert not hashes.verify_password("1234", pin)
