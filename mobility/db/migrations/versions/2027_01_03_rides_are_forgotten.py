"""What stays of rides that are forgotten: stars by person, how seats ended by driver and day."""

import sqlalchemy as sa
from alembic import op

revision = "2027_01_03_rides_are_forgotten"
down_revision = "2027_01_02_weeks_over_months"


def upgrade() -> None:
    op.create_table(
        "past_stars",
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("stars", sa.BigInteger, nullable=False),
        sa.Column("rating_count", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "past_seats",
        sa.Column("driver_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("date", sa.Date, primary_key=True, index=True),
        sa.Column("ran_count", sa.Integer, nullable=False),
        sa.Column("broken_count", sa.Integer, nullable=False),
    )
    op.create_table(
        "declined_pair",
        sa.Column("rider_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("driver_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
    )
    op.create_index("booking_by_pickup", "booking", ["pickup_from"])
    op.create_index("notice_by_time", "notice", ["at"])
    op.create_index("wish_match_of_offer", "wish_match", ["offer_id"])
    op.create_index("proposal_by_wish", "proposal", ["wish_id"])
