"""What riders and drivers think of each other."""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_08_ratings"
down_revision = "2026_12_06_journeys"


def upgrade() -> None:
    op.create_table(
        "rating",
        sa.Column("booking_id", sa.Uuid, sa.ForeignKey("booking.id"), primary_key=True),
        sa.Column("by", sa.Text, primary_key=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("stars", sa.SmallInteger, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("stars between 1 and 5", name="stars_in_range"),
    )
