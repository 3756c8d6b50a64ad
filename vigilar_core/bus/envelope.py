"""Signed envelopes: what travels on the bus, and how a receiver tells ours from anybody's.

On the wire an envelope is one JSON object in ASCII whose last member is the signature::

    {"id": …, "seq": …, "source": …, "time": …, "sent": …, "kind": …, "data": {…},
     "caused_by": …, "hops": …, "lasting": …, "sig": "<64 hexadecimal digits>"}

without white space. The signature is HMAC-SHA256 (RFC 2104) over the topic, a zero byte and the
object as it would stand without its last member. Because it is computed over the bytes that
came, nothing is parsed before it has been verified: a stranger never reaches the JSON parser.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from vigilar_core.errors import UntrustedMessageError
from vigilar_core.events import MAX_HOPS

#: Longest message, bytes; the brokers are told the same limit.
MAX_BYTES: Final = 256 * 1024
#: Longest message that carries an event: re-published by the ledger it grows a little.
MAX_EVENT_BYTES: Final = MAX_BYTES - 8 * 1024
#: Longest topic, characters.
MAX_TOPIC: Final = 512
#: Deepest nesting of ``data``, itself included.
MAX_DEPTH: Final = 32
#: How far ``sent`` may lie from the receiver's clock, seconds.
MAX_AGE_S: Final = 60
#: Largest integer that every JSON reader represents exactly; as microseconds the year 2255.
MAX_INTEGER: Final = 2**53

_SIGNATURE = re.compile(rb',"sig":"([0-9a-f]{64})"}\Z')
_SIGNATURE_BYTES = 74
_ID = re.compile(r"[0-9a-f]{32}")
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}(:[A-Za-z0-9][A-Za-z0-9_-]{0,63}){0,3}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
_KEYS = frozenset(
    ("id", "seq", "source", "time", "sent", "kind", "data", "caused_by", "hops", "lasting")
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message with its origin.

    :param id: unique, see :func:`vigilar_core.bus.event_id.event_id`
    :param seq: the publisher's own count of events, rising; 0 for a state
    :param source: the service that signed it
    :param time_us: when it happened, microseconds since 1970 UTC
    :param sent_us: when it was signed; a resend is signed anew
    :param kind: name of the event kind; ``None``: a passing state
    :param data: JSON object
    :param caused_by: id of the event it follows from
    :param hops: length of that chain
    :param lasting: a retained state or a last will, which may be any age when it arrives
    """

    id: str
    seq: int
    source: str
    time_us: int
    sent_us: int
    kind: str | None
    data: Mapping[str, Any]
    caused_by: str | None = None
    hops: int = 0
    lasting: bool = False


class Seal:
    """Signs and verifies with a key derived from the installation's bus secret.

    :param secret: 32 bytes, see :func:`vigilar_core.bus.secret.bus_secret`
    """

    def __init__(self, secret: bytes) -> None:
        self._mac = hmac.new(_derive(secret), digestmod=hashlib.sha256)

    def seal(self, topic: str, envelope: Envelope) -> bytes:
        """The signed bytes of an envelope for one topic.

        :raises ValueError: the data is no JSON, nested too deeply or too long
        """
        if not is_plain(envelope.data):
            raise ValueError(f"data for {topic} is deeper than {MAX_DEPTH} levels or not finite")
        try:
            body = json.dumps(_members(envelope), separators=(",", ":"), allow_nan=False).encode(
                "ascii"
            )
        except TypeError as error:
            raise ValueError(f"data for {topic} cannot be written as JSON: {error}") from None
        if len(body) + _SIGNATURE_BYTES > MAX_BYTES:
            raise ValueError(f"message for {topic} is {len(body)} bytes, at most {MAX_BYTES} fit")
        return b'%b,"sig":"%b"}' % (body[:-1], self._sign(topic, body))

    def open(self, topic: str, payload: bytes, now_us: int) -> Envelope:
        """The envelope, verified.

        :param now_us: the receiver's clock
        :raises UntrustedMessageError: size, signature, shape, age or hop count is not in order
        """
        if len(payload) > MAX_BYTES or len(topic) > MAX_TOPIC:
            _refuse(f"{len(payload)} bytes on a topic of {len(topic)} characters")
        match = _SIGNATURE.search(payload, max(0, len(payload) - _SIGNATURE_BYTES - 1))
        if match is None:
            _refuse("no signature")
        body = payload[: match.start()] + b"}"
        if not hmac.compare_digest(self._sign(topic, body), match[1]):
            _refuse("wrong signature")
        envelope = _parse(body)
        age_s = (now_us - envelope.sent_us) / 1e6
        if age_s < -MAX_AGE_S or (age_s > MAX_AGE_S and not envelope.lasting):
            _refuse(f"sent {age_s:.0f} s ago by the receiver's clock")
        return envelope

    def _sign(self, topic: str, body: bytes) -> bytes:
        mac = self._mac.copy()
        try:
            mac.update(topic.encode("utf-8"))
        except UnicodeEncodeError:
            _refuse("the topic is no text")
        mac.update(b"\0")
        mac.update(body)
        return mac.hexdigest().encode("ascii")


def _derive(secret: bytes) -> bytes:
    # Imported here: the command line reads this module's neighbours without ever signing.
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    if len(secret) != 32:
        raise ValueError(f"the bus secret has {len(secret)} bytes instead of 32")
    return HKDF(SHA256(), 32, salt=None, info=b"vigilar bus envelope 1").derive(secret)


def _members(envelope: Envelope) -> dict[str, Any]:
    return {
        "id": envelope.id,
        "seq": envelope.seq,
        "source": envelope.source,
        "time": envelope.time_us,
        "sent": envelope.sent_us,
        "kind": envelope.kind,
        "data": envelope.data,
        "caused_by": envelope.caused_by,
        "hops": envelope.hops,
        "lasting": envelope.lasting,
    }


def _parse(body: bytes) -> Envelope:
    try:
        members = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        _refuse(f"no JSON: {error}")
    if not isinstance(members, dict) or members.keys() != _KEYS:
        _refuse("not the members of an envelope")
    _check(members)
    return Envelope(
        id=members["id"],
        seq=members["seq"],
        source=members["source"],
        time_us=members["time"],
        sent_us=members["sent"],
        kind=members["kind"],
        data=members["data"],
        caused_by=members["caused_by"],
        hops=members["hops"],
        lasting=members["lasting"],
    )


def _check(members: Mapping[str, Any]) -> None:
    sound = (
        _is_text(members["id"], _ID)
        and _is_text(members["source"], _SOURCE)
        and (members["kind"] is None or _is_text(members["kind"], _KIND))
        and (members["caused_by"] is None or _is_text(members["caused_by"], _ID))
        and all(_is_count(members[key]) for key in ("seq", "time", "sent", "hops"))
        and type(members["lasting"]) is bool
        and type(members["data"]) is dict
    )
    if not sound:
        _refuse("a member has a wrong type or is out of range")
    if not is_plain(members["data"]):
        _refuse(f"data is nested more than {MAX_DEPTH} deep or holds an infinite number")
    if members["hops"] > MAX_HOPS:
        _refuse(f"a chain of {members['hops']} events, at most {MAX_HOPS}")


def _is_text(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_INTEGER


def is_plain(data: Mapping[str, Any]) -> bool:
    """Whether data is nested at most :data:`MAX_DEPTH` deep and its numbers are finite."""
    layer: list[Any] = [data]
    for _ in range(MAX_DEPTH):
        below = []
        for container in layer:
            for item in container.values() if isinstance(container, dict) else container:
                kind = type(item)
                if kind is dict or kind is list:
                    below.append(item)
                elif kind is float and not math.isfinite(item):
                    return False
        if not below:
            return True
        layer = below
    return False


def _refuse(reason: str) -> NoReturn:
    raise UntrustedMessageError(f"message refused: {reason}")
