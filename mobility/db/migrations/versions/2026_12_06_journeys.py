"""From where to where a rider travels who books rides, and what he has if they do not run."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_06_journeys"
down_revision = "2026_12_05_proposals"


def upgrade() -> None:
    op.create_table(
        "journey",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("ends", pg.JSONB, nullable=False),
        sa.Column("fallbacks", pg.JSONB),
    )
