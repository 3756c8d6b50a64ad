"""One-time sign-in links: for a forgotten password, and for a first look."""

from __future__ import annotations

import sqlalchemy as sa

from vigilar_core.clock import Clock
from vigilar_core.store.engine import writing
from vigilar_web.tables import links
from vigilar_web.tokens import digest, new_token

LIFETIME_S = 600


def mint(engine: sa.Engine, clock: Clock, user_name: str) -> str:
    """A token that signs this user in once, within ten minutes."""
    token, now_us = new_token(), clock.time_us()
    with writing(engine) as connection:
        connection.execute(sa.delete(links).where(links.c.expires_us < now_us))
        connection.execute(
            sa.insert(links).values(
                token_hash=digest(token),
                user_name=user_name,
                expires_us=now_us + LIFETIME_S * 1_000_000,
            )
        )
    return token


def redeem(engine: sa.Engine, clock: Clock, token: str) -> str | None:
    """The name of the user a token was made for; a second time, or too late, ``None``."""
    now_us = clock.time_us()
    with writing(engine) as connection:
        found = connection.execute(
            sa.delete(links)
            .where(links.c.token_hash == digest(token))
            .returning(links.c.user_name, links.c.expires_us)
        ).first()
    if found is None or not now_us <= found.expires_us <= now_us + LIFETIME_S * 1_000_000:
        return None
    return str(found.user_name)


def forget(engine: sa.Engine, user_name: str) -> None:
    """Make the links of a user worthless."""
    with writing(engine) as connection:
        connection.execute(sa.delete(links).where(links.c.user_name == user_name))
