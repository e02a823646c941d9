"""Wishes of riders, the offers that were told for them, and how far these were compared."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_04_wishes"
down_revision = "2026_12_03_bookings"

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "wish",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("rider_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("content", pg.JSONB, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("valid_to", sa.Date, nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
    )
    op.create_index("wish_of_rider", "wish", ["rider_id", "created_at", "id"])
    op.create_index("wish_open", "wish", ["valid_to"], postgresql_where=sa.text("open"))
    op.create_table(
        "wish_match",
        sa.Column("wish_id", sa.Uuid, sa.ForeignKey("wish.id"), primary_key=True),
        sa.Column("offer_id", sa.Uuid, sa.ForeignKey("offer.id"), primary_key=True),
        sa.Column("direction", sa.Text, primary_key=True),
        sa.Column("content", pg.JSONB, nullable=False),
        sa.Column("at", WHEN, nullable=False),
    )
    op.create_table(
        "follower",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.execute("insert into follower select 'wishes', coalesce(max(revision), 0) from change")
