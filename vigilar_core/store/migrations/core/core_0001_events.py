"""Events, their series, and the places of their readers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "event_series",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event_series"),
        sa.UniqueConstraint(
            "subject", "kind", "severity", name="uq_event_series_subject_kind_severity"
        ),
    )
    op.create_table(
        "events",
        sa.Column("sequence", _NUMBER, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sa.Column("committed_us", sa.BigInteger, nullable=False),
        sa.Column("series", _NUMBER, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("caused_by", sa.Text),
        sa.Column("hops", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_events"),
        sa.UniqueConstraint("id", name="uq_events_id"),
        sa.ForeignKeyConstraint(["series"], ["event_series.id"], name="fk_events_series"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_time_us", "events", ["time_us", "sequence"])
    op.create_index("ix_events_series_time_us", "events", ["series", "time_us", "sequence"])
    op.create_table(
        "service_cursors",
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("service", name="pk_service_cursors"),
    )
    op.execute(
        "CREATE VIEW system_events AS SELECT sequence, time_us, kind, severity, subject, source, "
        "data FROM events WHERE subject IN ('system', 'ledger') OR subject LIKE 'service/%'"
    )


def downgrade() -> None:
    op.execute("DROP VIEW system_events")
    op.drop_table("service_cursors")
    op.drop_table("events")
    op.drop_table("event_series")
