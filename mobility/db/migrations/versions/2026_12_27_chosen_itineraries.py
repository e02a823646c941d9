"""Itineraries that riders say they take: where their stays end that nobody taps out of."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_27_chosen_itineraries"
down_revision = "2026_12_26_pay_invitations"


def upgrade() -> None:
    op.create_table(
        "chosen_itinerary",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("fare_account.id"), nullable=False),
        sa.Column("legs", pg.JSONB, nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dropped_at", sa.DateTime(timezone=True)),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("chosen_itinerary_account", "chosen_itinerary", ["account_id"])
