"""Devices that sign what they tell, and count it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_23_devices"
down_revision = "2026_12_22_erasure"


def upgrade() -> None:
    op.create_table(
        "device",
        sa.Column("owner_id", sa.Uuid, sa.ForeignKey("user.id"), primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("public_key", pg.JSONB, nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_number", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("last_at", sa.DateTime(timezone=True)),
        sa.Column("gaps", pg.JSONB, nullable=False, server_default="[]"),
    )
