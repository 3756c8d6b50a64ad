"""The register of recordings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "recorder_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recordings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False, unique=True),
        sa.Column("start_time_us", sa.BigInteger, nullable=False),
        sa.Column("end_time_us", sa.BigInteger),
        sa.Column("duration_s", sa.Float),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("sha256", sa.Text),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("trigger_time_us", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("pre_roll_s", sa.Float, nullable=False),
        sa.Column("video_codec", sa.Text, nullable=False),
        sa.Column("audio_codec", sa.Text),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("key_frames_only", sa.Boolean, nullable=False),
        sa.Column("encrypted", sa.Boolean, nullable=False),
        sa.Column("continues", sa.Text),
        sa.Column("ended_by", sa.Text),
        sa.Column("motion", sa.Text),
        sa.Column("thumbnail", sa.Text),
        sa.Column("sealed", sa.Boolean, nullable=False),
        sa.Column("recovered", sa.Boolean, nullable=False),
        sa.Column("starred", sa.Boolean, nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.Column("deleting_reason", sa.Text),
        sa.Column("deleting_by", sa.Text),
    )
    op.create_index("ix_recordings_start_time_us", "recordings", ["start_time_us", "id"])
    op.create_index(
        "ix_recordings_camera_start_time_us", "recordings", ["camera", "start_time_us", "id"]
    )
    op.create_index("ix_recordings_deleting_reason", "recordings", ["deleting_reason"])


def downgrade() -> None:
    op.drop_table("recordings")
