"""Riders who offer to pay for others: codes that are given away once."""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_26_pay_invitations"
down_revision = "2026_12_25_unended_legs"


def upgrade() -> None:
    op.create_table(
        "pay_invitation",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("fare_account.id"), nullable=False),
        sa.Column("valid_to", sa.Date, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
