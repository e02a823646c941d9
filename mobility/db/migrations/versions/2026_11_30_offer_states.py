"""Offers are published, paused or ended; answers to requests with an idempotency key."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_11_30_offer_states"
down_revision = "2026_11_29_users"


def upgrade() -> None:
    op.add_column("offer", sa.Column("state", sa.Text, nullable=False, server_default="published"))
    op.execute("update offer set state = 'ended' where not active")
    op.alter_column("offer", "state", server_default=None)
    op.create_check_constraint("offer_state", "offer", "state in ('published', 'paused', 'ended')")
    op.drop_column("offer", "active")
    op.create_index("offer_of_driver", "offer", ["driver_id"])
    op.create_table(
        "answered",
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("user.id"), primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("asked", sa.LargeBinary, nullable=False),
        sa.Column("answer", pg.JSONB),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, index=True),
    )
