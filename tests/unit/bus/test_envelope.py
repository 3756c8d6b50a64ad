"""Signed envelopes: what is let in, and that nothing hostile does more than be refused."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vigilar_core.bus.envelope import MAX_BYTES, MAX_DEPTH, Envelope, Seal
from vigilar_core.errors import UntrustedMessageError
from vigilar_core.events import MAX_HOPS

NOW_US = 1_767_225_600_000_000
TOPIC = "vigilar/camera/hall/motion/start"
SEAL = Seal(bytes(32))
ENVELOPE = Envelope(
    id="01" * 16,
    seq=7,
    source="camera:hall",
    time_us=NOW_US - 5,
    sent_us=NOW_US,
    kind="motion_start",
    data={"confidence": 0.5, "zones": ["päth"]},
    caused_by="02" * 16,
    hops=1,
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=20,
)


def test_what_was_sealed_opens_unchanged() -> None:
    assert SEAL.open(TOPIC, SEAL.seal(TOPIC, ENVELOPE), NOW_US) == ENVELOPE


@given(data=st.dictionaries(st.text(max_size=9), json_values, max_size=6))
def test_any_json_object_survives_the_way(data: dict[str, Any]) -> None:
    envelope = replace(ENVELOPE, data=data)
    assert SEAL.open(TOPIC, SEAL.seal(TOPIC, envelope), NOW_US) == envelope


def test_the_wire_is_one_readable_json_object() -> None:
    wire = json.loads(SEAL.seal(TOPIC, ENVELOPE))
    assert set(wire) == {
        "id",
        "seq",
        "source",
        "time",
        "sent",
        "kind",
        "data",
        "caused_by",
        "hops",
        "lasting",
        "sig",
    }
    assert wire["data"]["zones"] == ["päth"]


def test_another_topic_is_refused() -> None:
    with pytest.raises(UntrustedMessageError, match="wrong signature"):
        SEAL.open("vigilar/ups/power_loss", SEAL.seal(TOPIC, ENVELOPE), NOW_US)


def test_another_key_is_refused() -> None:
    with pytest.raises(UntrustedMessageError, match="wrong signature"):
        SEAL.open(TOPIC, Seal(b"\1" * 32).seal(TOPIC, ENVELOPE), NOW_US)


@given(st.data())
def test_no_byte_can_be_changed(data: st.DataObject) -> None:
    payload = bytearray(SEAL.seal(TOPIC, ENVELOPE))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(UntrustedMessageError):
        SEAL.open(TOPIC, bytes(payload), NOW_US)


@pytest.mark.parametrize("age_s", [61, -61, 86_400])
def test_a_stale_or_early_message_is_refused(age_s: int) -> None:
    payload = SEAL.seal(TOPIC, ENVELOPE)
    with pytest.raises(UntrustedMessageError, match="sent"):
        SEAL.open(TOPIC, payload, NOW_US + age_s * 1_000_000)


@pytest.mark.parametrize("age_s", [59, -59])
def test_the_age_counts_from_sending_not_from_happening(age_s: int) -> None:
    long_ago = replace(ENVELOPE, time_us=1)
    assert SEAL.open(TOPIC, SEAL.seal(TOPIC, long_ago), NOW_US + age_s * 1_000_000).time_us == 1


def test_a_lasting_state_may_be_old_but_not_from_the_future() -> None:
    payload = SEAL.seal(TOPIC, replace(ENVELOPE, lasting=True))
    assert SEAL.open(TOPIC, payload, NOW_US + 10**13).lasting
    with pytest.raises(UntrustedMessageError):
        SEAL.open(TOPIC, payload, NOW_US - 61_000_000)


def test_a_chain_of_events_ends_at_the_hop_limit() -> None:
    longest = replace(ENVELOPE, hops=MAX_HOPS)
    assert SEAL.open(TOPIC, SEAL.seal(TOPIC, longest), NOW_US).hops == MAX_HOPS
    with pytest.raises(UntrustedMessageError, match="chain"):
        SEAL.open(TOPIC, SEAL.seal(TOPIC, replace(longest, hops=MAX_HOPS + 1)), NOW_US)


def test_a_member_of_the_wrong_shape_is_refused_although_signed() -> None:
    wrong: list[tuple[str, Any]] = [
        ("id", "short"),
        ("id", None),
        ("seq", -1),
        ("seq", 1.5),
        ("seq", True),
        ("source", "a/b"),
        ("source", "#"),
        ("time_us", 2**60),
        ("kind", "Motion!"),
        ("data", []),
        ("caused_by", 3),
        ("hops", "1"),
        ("lasting", 1),
        ("data", {"x": float("1e999")}),
    ]
    for name, value in wrong:
        with pytest.raises((UntrustedMessageError, ValueError)):
            SEAL.open(TOPIC, SEAL.seal(TOPIC, replace(ENVELOPE, **{name: value})), NOW_US)


def test_data_nested_too_deeply_can_neither_be_sent_nor_received() -> None:
    nested: Any = 0
    for _ in range(MAX_DEPTH):
        nested = [nested]
    with pytest.raises(ValueError, match="deep"):
        SEAL.seal(TOPIC, replace(ENVELOPE, data={"nested": nested}))


def test_a_signed_bomb_of_brackets_is_refused() -> None:
    body = b"[" * 100_000
    payload = body[:-1] + b',"sig":"' + SEAL._sign(TOPIC, body) + b'"}'
    with pytest.raises(UntrustedMessageError):
        SEAL.open(TOPIC, payload[:-1] + b"}", NOW_US)


def test_too_long_a_message_is_refused_before_anything_else() -> None:
    with pytest.raises(UntrustedMessageError, match="bytes"):
        SEAL.open(TOPIC, b"x" * (MAX_BYTES + 1), NOW_US)
    with pytest.raises(ValueError, match="at most"):
        SEAL.seal(TOPIC, replace(ENVELOPE, data={"x": "y" * MAX_BYTES}))


hostile_payloads = (
    st.binary(max_size=400)
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60).map(lambda noise: noise + b',"sig":"' + b"0" * 64 + b'"}')
)


@settings(max_examples=500, deadline=None)
@given(topic=st.text(max_size=80), payload=hostile_payloads)
@example(topic="", payload=b"")
@example(topic="vigilar/\ud800", payload=b'{"sig":1}')
def test_a_hostile_message_is_only_refused(topic: str, payload: bytes) -> None:
    with pytest.raises(UntrustedMessageError):
        SEAL.open(topic, payload, NOW_US)


@pytest.mark.parametrize("seed", range(10))
def test_twenty_thousand_random_and_mangled_messages_are_only_refused(seed: int) -> None:
    source = random.Random(seed)
    sound = SEAL.seal(TOPIC, ENVELOPE)
    for _ in range(2000):
        topic, payload = TOPIC, bytearray(sound)
        match source.randrange(5):
            case 0:
                payload = bytearray(source.randbytes(source.randrange(400)))
            case 1:
                topic = "".join(chr(source.randrange(0x11_0000)) for _ in range(12))
            case 2:
                del payload[source.randrange(len(payload)) :]
            case 3:
                payload[source.randrange(len(payload))] ^= 1 << source.randrange(8)
            case 4:
                at = source.randrange(len(payload))
                payload[at:at] = source.choice((b"}", b"{", b'"', b"\\", b"\0", b'"sig":"'))
        with pytest.raises(UntrustedMessageError):
            SEAL.open(topic, bytes(payload), NOW_US)


@settings(max_examples=500, deadline=None)
@given(body=st.binary(max_size=300) | json_values.map(lambda value: json.dumps(value).encode()))
def test_signed_nonsense_is_only_refused(body: bytes) -> None:
    """Somebody who has the key and a fault in his program."""
    payload = body[:-1] + b',"sig":"' + SEAL._sign(TOPIC, body[:-1] + b"}") + b'"}'
    with pytest.raises(UntrustedMessageError):
        SEAL.open(TOPIC, payload, NOW_US)
