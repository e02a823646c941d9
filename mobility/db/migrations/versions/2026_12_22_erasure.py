"""Riders who have asked that it be forgotten what they used."""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_22_erasure"
down_revision = "2026_12_21_tariffs"


def upgrade() -> None:
    op.add_column("fare_account", sa.Column("erase_since", sa.DateTime(timezone=True)))
