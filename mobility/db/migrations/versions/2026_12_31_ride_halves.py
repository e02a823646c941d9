"""Starts and ends of rides that were told apart, until both are known or it is forgotten whose."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_31_ride_halves"
down_revision = "2026_12_30_guessed_ends"


def upgrade() -> None:
    op.create_table(
        "ride_half",
        sa.Column("ride", sa.Text, primary_key=True),
        sa.Column("half", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("medium", sa.LargeBinary, nullable=False, index=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("operator", sa.Text, nullable=False),
        sa.Column("metres", sa.Integer, nullable=False),
        sa.Column("zones", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, index=True),
    )
