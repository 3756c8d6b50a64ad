"""Guessing of passwords made slow, without shutting out the person who lives there.

Failures are counted in buckets: one for the account, one for the address. A browser that
has signed in before has a bucket of its own instead of the account's, so a stranger who
guesses at an account cannot keep its owner out (OWASP, "device cookies"). A failure is
counted before the password is checked, so that many tries at once count as many.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from vigilar_core.clock import Clock
from vigilar_core.store.engine import writing
from vigilar_web.tables import failures

FIRST_BLOCK_S = 30
LONGEST_BLOCK_S = 3600
#: A bucket without a failure for so long starts anew.
FORGET_AFTER_S = 86_400
#: Several people may sit behind one address.
_FREE_FOR_ADDRESS = 15


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where failures are counted.

    :param key: ``account:…``, ``address:…`` or ``browser:…``
    :param free: failures in a row that cost nothing
    """

    key: str
    free: int


def buckets(account: str, address: str, known_browser: str | None) -> Sequence[Bucket]:
    """The buckets of a sign-in.

    :param known_browser: id of a browser that has signed in as this account before
    """
    of_account = Bucket(f"browser:{known_browser}" if known_browser else f"account:{account}", 5)
    return (of_account, of_address(address))


def of_address(address: str) -> Bucket:
    """The bucket of an address; of IPv6 the network, as a household has 2⁶⁴ addresses there."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return Bucket("address:unknown", _FREE_FOR_ADDRESS)
    prefix = 64 if parsed.version == 6 else 32
    network = ipaddress.ip_network((parsed, prefix), strict=False)
    return Bucket(f"address:{network.network_address}", _FREE_FOR_ADDRESS)


def block_s(count: int, free: int) -> int:
    """How long the ``count``-th failure in a row blocks: nothing, then 30 s, doubling to 1 h."""
    if count < free:
        return 0
    return min(LONGEST_BLOCK_S, FIRST_BLOCK_S << min(count - free, 12))


class Lockout:
    """Counts failures in the database, so that a restart forgives nothing."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def begin(self, wanted: Sequence[Bucket]) -> int:
        """Count a try as failed until :meth:`succeed` says otherwise.

        :returns: 0 to go on, else how many seconds are left of a block
        """
        now_us = self._clock.time_us()
        with writing(self._engine) as connection:
            connection.execute(
                sa.delete(failures).where(failures.c.last_us < now_us - FORGET_AFTER_S * 1_000_000)
            )
            rows = self._rows(connection, wanted)
            left_us = max(self._left_us(rows.get(bucket.key), now_us) for bucket in wanted)
            if left_us > 0:
                return -(-left_us // 1_000_000)
            for bucket in wanted:
                self._count(connection, bucket, rows.get(bucket.key), now_us)
        return 0

    def left_s(self, wanted: Sequence[Bucket]) -> int:
        """How many seconds are left of a block; 0: none."""
        with self._engine.connect() as connection:
            rows = self._rows(connection, wanted)
        now_us = self._clock.time_us()
        left_us = max(self._left_us(rows.get(bucket.key), now_us) for bucket in wanted)
        return max(0, -(-left_us // 1_000_000))

    def succeed(self, wanted: Sequence[Bucket]) -> None:
        """The try was right: its buckets are empty again."""
        keys = [bucket.key for bucket in wanted]
        with writing(self._engine) as connection:
            connection.execute(sa.delete(failures).where(failures.c.bucket.in_(keys)))

    def _rows(
        self, connection: sa.Connection, wanted: Sequence[Bucket]
    ) -> Mapping[str, sa.Row[tuple[object, ...]]]:
        keys = [bucket.key for bucket in wanted]
        found = connection.execute(sa.select(failures).where(failures.c.bucket.in_(keys)))
        return {row.bucket: row for row in found}

    def _left_us(self, row: sa.Row[tuple[object, ...]] | None, now_us: int) -> int:
        if row is None:
            return 0
        # A wall clock set back must not turn a block into a longer one.
        return int(min(row.blocked_until_us - now_us, LONGEST_BLOCK_S * 1_000_000))

    def _count(
        self,
        connection: sa.Connection,
        bucket: Bucket,
        row: sa.Row[tuple[object, ...]] | None,
        now_us: int,
    ) -> None:
        count = (row.failures if row else 0) + 1
        values = {
            "failures": count,
            "blocked_until_us": now_us + block_s(count, bucket.free) * 1_000_000,
            "last_us": now_us,
        }
        if row is None:
            connection.execute(sa.insert(failures).values(bucket=bucket.key, **values))
        else:
            connection.execute(
                sa.update(failures).where(failures.c.bucket == bucket.key).values(**values)
            )
