"""Elevators out of service."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_elevators"
down_revision = "2026_11_27_epoch"


def upgrade() -> None:
    op.create_table(
        "elevator_outage",
        sa.Column("elevator_id", sa.Text, primary_key=True),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
    )
