"""Rides under way: what drivers say and their phones measure, and what people were told of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_15_live"
down_revision = "2026_12_14_series"

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    for column in (
        sa.Column("said_late_s", sa.Integer, nullable=False, server_default="0"),
        sa.Column("said_at", WHEN),
        sa.Column("seen_late_s", sa.Integer),
        sa.Column("seen_at", WHEN),
        sa.Column("vias_reached", pg.JSONB, nullable=False, server_default="[]"),
        sa.Column("asked", sa.SmallInteger, nullable=False, server_default="0"),
    ):
        op.add_column("ride", column)
    op.execute("update ride set said_late_s = late_s where late_s > 0")
    for name in ("quoted_late_s", "told_late_s"):
        op.add_column("booking", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
