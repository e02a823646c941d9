"""Times that nobody reads, and by which legs and taps might be linked to accounts, are dropped."""

from alembic import op

revision = "2027_01_01_nothing_leads_back"
down_revision = "2026_12_31_ride_halves"


def upgrade() -> None:
    op.drop_column("fare_leg", "received_at")
    op.drop_column("rider_month", "rated_at")
    op.execute("update tap set received_at = at where medium is null")
