"""Create the table of cameras.

Revision ID: camera_rtsp_0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "camera_rtsp_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cameras",
        sa.Column("id", sa.String(64), primary_key=True, comment="id of the configuration"),
        sa.Column("display_name", sa.String(256), nullable=False, comment="name shown to people"),
        sa.Column("location", sa.String(32), nullable=False, comment="where it looks"),
        sa.Column("state", sa.String(16), nullable=False, comment="online, offline or stalled"),
        sa.Column("cause", sa.String(32), nullable=False, comment="why it is away"),
        sa.Column("changed_us", sa.BigInteger, nullable=False, comment="µs since 1970 UTC"),
        sa.Column("online_us", sa.BigInteger, comment="last time it came online"),
        sa.Column("codec", sa.String(16), comment="of the main stream when last online"),
        sa.Column("width", sa.Integer, comment="pixels of the main stream when last online"),
        sa.Column("height", sa.Integer, comment="pixels of the main stream when last online"),
        sa.Column("sequence", sa.BigInteger, nullable=False, comment="event the row stems from"),
        comment="Owned by camera-rtsp; follows from the camera's events.",
    )


def downgrade() -> None:
    op.drop_table("cameras")
