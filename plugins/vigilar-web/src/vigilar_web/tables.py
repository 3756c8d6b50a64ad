"""Tables of the web: who may sign in, who is signed in, who failed to, and one-time links."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from vigilar_core.store import Tables

metadata = sa.MetaData()

users = sa.Table(
    "web_users",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("role", sa.Integer, nullable=False, comment="vigilar_core.web.Role"),
    sa.Column(
        "password_hash", sa.Text, nullable=False, comment="salt_hex:key_hex; empty: links only"
    ),
    sa.Column(
        "replaces",
        sa.Text,
        nullable=False,
        comment="fingerprint of the configured hash it overrides",
    ),
    sa.Column("cameras", sa.JSON, comment="ids the user may see; null: all"),
    sa.Column("created_us", sa.BigInteger, nullable=False, comment="microseconds since 1970 UTC"),
)

sessions = sa.Table(
    "web_sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="shown in lists; no secret"),
    sa.Column(
        "token_hash", sa.Text, nullable=False, unique=True, comment="SHA-256 of the cookie's token"
    ),
    sa.Column("user_name", sa.Text, nullable=False, index=True),
    sa.Column(
        "credential", sa.Text, nullable=False, comment="fingerprint of the password hash at sign-in"
    ),
    sa.Column("created_us", sa.BigInteger, nullable=False, comment="microseconds since 1970 UTC"),
    sa.Column("seen_us", sa.BigInteger, nullable=False, comment="last request, within a minute"),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("browser", sa.Text, nullable=False, comment="User-Agent, cut to 200 characters"),
)

failures = sa.Table(
    "web_sign_in_failures",
    metadata,
    sa.Column("bucket", sa.Text, primary_key=True, comment="account:…, address:… or browser:…"),
    sa.Column("failures", sa.Integer, nullable=False, comment="in a row"),
    sa.Column(
        "blocked_until_us", sa.BigInteger, nullable=False, comment="microseconds since 1970 UTC"
    ),
    sa.Column(
        "last_us", sa.BigInteger, nullable=False, index=True, comment="microseconds since 1970 UTC"
    ),
)

links = sa.Table(
    "web_sign_in_links",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True, comment="SHA-256 of the link's token"),
    sa.Column("user_name", sa.Text, nullable=False),
    sa.Column("expires_us", sa.BigInteger, nullable=False, comment="microseconds since 1970 UTC"),
)

#: What the store is told of.
TABLES = Tables(metadata, Path(__file__).parent / "migrations")
