"""Who is signed in: rows in the database, found by a token that only the browser has."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from vigilar_core.clock import Clock
from vigilar_core.store.engine import writing
from vigilar_core.web import Role
from vigilar_web.accounts import Accounts, User
from vigilar_web.tables import sessions
from vigilar_web.tokens import digest, new_token

#: No session lives longer, however busy it is.
LIFETIME_S = 30 * 86_400
#: The time of the last request is written at most this often.
SEEN_EVERY_S = 60
_BROWSER_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Person:
    """Who makes a request.

    :param session_id: of the session, for lists; not the token
    :param cameras: ids of the cameras the person may see; ``None``: all
    """

    name: str
    role: Role
    session_id: str
    cameras: frozenset[str] | None = None

    def may_see(self, camera_id: str) -> bool:
        return self.cameras is None or camera_id in self.cameras


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session as its owner sees it in a list; times in microseconds since 1970 UTC."""

    id: str
    created_us: int
    seen_us: int
    address: str
    browser: str


class Sessions:
    """Opens, finds and ends sessions.

    :param timeout_s: seconds without a request that end a session
    """

    def __init__(
        self, engine: sa.Engine, accounts: Accounts, clock: Clock, *, timeout_s: int
    ) -> None:
        self._engine = engine
        self._accounts = accounts
        self._clock = clock
        self._timeout_us = timeout_s * 1_000_000

    def open(self, user: User, *, address: str, browser: str) -> str:
        """Start a session and return its token."""
        token, now_us = new_token(), self._clock.time_us()
        with writing(self._engine) as connection:
            connection.execute(sa.delete(sessions).where(self._over(now_us)))
            connection.execute(
                sa.insert(sessions).values(
                    id=secrets.token_hex(8),
                    token_hash=digest(token),
                    user_name=user.name,
                    credential=user.credential,
                    created_us=now_us,
                    seen_us=now_us,
                    address=address,
                    browser=browser[:_BROWSER_CHARACTERS],
                )
            )
        return token

    def person(self, token: str, *, touch: bool = True) -> Person | None:
        """Whose session a token belongs to; ``None`` when it has ended.

        :param touch: whether this counts as a sign of life of the person
        """
        now_us = self._clock.time_us()
        with self._engine.connect() as connection:
            row = connection.execute(
                sa.select(sessions).where(
                    sessions.c.token_hash == digest(token), sa.not_(self._over(now_us))
                )
            ).first()
        if row is None:
            return None
        user = self._accounts.find(row.user_name)
        if user is None or user.credential != row.credential:
            self.end(row.id)
            return None
        if touch and now_us - row.seen_us > SEEN_EVERY_S * 1_000_000:
            self._touch(row.id, now_us)
        return Person(user.name, user.role, row.id, user.cameras)

    def of(self, user_name: str) -> Sequence[SessionInfo]:
        """A user's sessions, the latest used first."""
        query = (
            sa.select(sessions)
            .where(sessions.c.user_name == user_name, sa.not_(self._over(self._clock.time_us())))
            .order_by(sessions.c.seen_us.desc())
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            SessionInfo(row.id, row.created_us, row.seen_us, row.address, row.browser)
            for row in rows
        ]

    def end(self, session_id: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.id == session_id))

    def end_all(self, user_name: str) -> None:
        """End every session of a user."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.user_name == user_name))

    def _touch(self, session_id: str, now_us: int) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(sessions).where(sessions.c.id == session_id).values(seen_us=now_us)
            )

    def _over(self, now_us: int) -> sa.ColumnElement[bool]:
        return sa.or_(
            sessions.c.seen_us < now_us - self._timeout_us,
            sessions.c.created_us < now_us - LIFETIME_S * 1_000_000,
        )
