"""Users: the administrator of the configuration, and those kept in the database.

The configuration is the operator's baseline. A password changed in the browser is kept in
the database and wins, until the operator writes another hash into the configuration: then
that one is newer and wins again, which is the way back for a forgotten password.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from vigilar_core.clock import Clock
from vigilar_core.config.hashes import hash_password
from vigilar_core.store.engine import writing
from vigilar_core.web import Role
from vigilar_web.settings import WebSettings
from vigilar_web.tables import users
from vigilar_web.tokens import fingerprint

#: Shortest password; a phrase of a few words passes, a PIN does not.
PASSWORD_CHARACTERS_MIN = 10
PASSWORD_CHARACTERS_MAX = 200
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in.

    :param cameras: ids of the cameras the user may see; ``None``: all
    :param password_hash: empty when the user signs in by one-time links only
    """

    name: str
    role: Role
    password_hash: str = ""
    cameras: frozenset[str] | None = None

    @property
    def credential(self) -> str:
        """Changes with the password; a session lives only as long as this stays the same."""
        return fingerprint(self.password_hash) or "none"


class Accounts:
    """Finds, adds and changes users.

    :param settings: name and password hash of the configured administrator
    """

    def __init__(self, engine: sa.Engine, settings: WebSettings, clock: Clock) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock

    def find(self, name: str) -> User | None:
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(users).where(users.c.name == name)).first()
        return self._effective(name, row)

    def all(self) -> Sequence[User]:
        """Every user, by name."""
        with self._engine.connect() as connection:
            rows = {row.name: row for row in connection.execute(sa.select(users))}
        names = sorted({*rows, self._settings.username})
        found = (self._effective(name, rows.get(name)) for name in names)
        return [user for user in found if user is not None]

    def has_administrator(self) -> bool:
        return any(user.role is Role.ADMIN for user in self.all())

    def add(
        self,
        name: str,
        role: Role,
        *,
        password: str | None = None,
        cameras: frozenset[str] | None = None,
    ) -> User:
        """Add a user.

        :param password: ``None``: the user can sign in by one-time links only
        :raises ValueError: the name or the password will not do, or the name is taken
        """
        check_name(name)
        if role is Role.ANYONE:
            raise ValueError("a user is a viewer, an operator or an administrator")
        if self.find(name) is not None:
            raise ValueError(f"there is already a user {name!r}")
        password_hash = "" if password is None else hash_password(check_password(password))
        try:
            self._insert(name, role, password_hash, cameras)
        except sa.exc.IntegrityError:
            raise ValueError(f"there is already a user {name!r}") from None
        return User(name, role, password_hash, cameras)

    def set_password(self, name: str, password: str) -> User:
        """Give a user another password; every session of the user ends by that.

        :raises ValueError: the password will not do, or there is no such user
        """
        user = self.find(name)
        if user is None:
            raise ValueError(f"there is no user {name!r}")
        password_hash = hash_password(check_password(password))
        values = {"password_hash": password_hash, "replaces": self._configured(name)}
        with writing(self._engine) as connection:
            changed = connection.execute(
                sa.update(users).where(users.c.name == name).values(**values)
            )
        if changed.rowcount == 0:
            self._insert(name, user.role, password_hash, user.cameras)
        return User(name, user.role, password_hash, user.cameras)

    def change(self, name: str, role: Role, cameras: frozenset[str] | None) -> None:
        """Give a user other rights.

        :raises ValueError: nobody would be administrator any more, or there is no such user
        """
        user = self._own_row(name)
        if user.role is Role.ADMIN and role is not Role.ADMIN:
            self._keep_an_administrator(name)
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(users)
                .where(users.c.name == name)
                .values(role=int(role), cameras=_as_list(cameras))
            )

    def remove(self, name: str) -> None:
        """Remove a user.

        :raises ValueError: as :meth:`change`
        """
        if self._own_row(name).role is Role.ADMIN:
            self._keep_an_administrator(name)
        with writing(self._engine) as connection:
            connection.execute(sa.delete(users).where(users.c.name == name))

    def is_configured(self, name: str) -> bool:
        """Whether the configuration file names this user, who then cannot be removed here."""
        return bool(self._configured(name))

    def _own_row(self, name: str) -> User:
        if self.is_configured(name):
            raise ValueError(f"{name!r} is set in the configuration file; change [web] there")
        user = self.find(name)
        if user is None:
            raise ValueError(f"there is no user {name!r}")
        return user

    def _keep_an_administrator(self, name: str) -> None:
        if not any(user.role is Role.ADMIN and user.name != name for user in self.all()):
            raise ValueError(f"{name!r} is the last administrator")

    def _insert(
        self, name: str, role: Role, password_hash: str, cameras: frozenset[str] | None
    ) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                sa.insert(users).values(
                    name=name,
                    role=int(role),
                    password_hash=password_hash,
                    replaces=self._configured(name),
                    cameras=_as_list(cameras),
                    created_us=self._clock.time_us(),
                )
            )

    def _configured(self, name: str) -> str:
        if name != self._settings.username:
            return ""
        return fingerprint(self._settings.password_hash.reveal())

    def _effective(self, name: str, row: sa.Row[tuple[object, ...]] | None) -> User | None:
        configured = self._configured(name)
        if configured and (row is None or row.replaces != configured):
            return User(name, Role.ADMIN, self._settings.password_hash.reveal())
        if row is None:
            return None
        cameras = None if row.cameras is None else frozenset(row.cameras)
        return User(row.name, Role(row.role), row.password_hash, cameras)


def check_name(name: str) -> str:
    """The name itself.

    :raises ValueError: it cannot be a user's name
    """
    if not _NAME.fullmatch(name):
        raise ValueError("a name has letters, digits and . _ @ - only, 64 at most")
    return name


def check_password(password: str) -> str:
    """The password itself.

    :raises ValueError: it is too short or too long
    """
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        raise ValueError(
            f"a password has {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters"
        )
    return password


def _as_list(cameras: frozenset[str] | None) -> list[str] | None:
    return None if cameras is None else sorted(cameras)
