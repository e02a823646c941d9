"""Legs of which nobody knows where they ended: as long as their line, or as long as usually."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_25_unended_legs"
down_revision = "2026_12_24_held_usage"


def upgrade() -> None:
    op.add_column("fare_leg", sa.Column("line_metres", sa.Integer))
    op.add_column("fare_leg", sa.Column("line_zones", pg.ARRAY(sa.Text)))
    op.create_index(
        "fare_leg_unended",
        "fare_leg",
        ["account_id"],
        postgresql_where=sa.text("line_metres is not null"),
    )
