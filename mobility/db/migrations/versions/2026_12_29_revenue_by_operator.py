"""What operators have earned by months of riders, as it stands in the ledger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_29_revenue_by_operator"
down_revision = "2026_12_28_statement_lines"


def upgrade() -> None:
    shares = sa.Column("shares", pg.JSONB, nullable=False, server_default="{}")
    op.add_column("rider_month", shares)
