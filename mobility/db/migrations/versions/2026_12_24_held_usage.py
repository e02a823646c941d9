"""Batches of devices whose clocks are wrong, until somebody has looked at them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_24_held_usage"
down_revision = "2026_12_23_devices"


def upgrade() -> None:
    op.add_column("tap", sa.Column("told_ahead_s", sa.Integer, nullable=False, server_default="0"))
    op.add_column("device", sa.Column("clock_ahead_s", sa.Integer))
    op.create_table(
        "held_usage",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner_id", sa.Uuid, sa.ForeignKey("user.id"), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_ahead_s", sa.Integer, nullable=False),
        sa.Column("events", pg.JSONB, nullable=False),
    )
