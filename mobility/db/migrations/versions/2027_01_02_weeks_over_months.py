"""What weeks that reach over the end of a month add is kept with the month they began in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "2027_01_02_weeks_over_months"
down_revision = "2027_01_01_nothing_leads_back"


def upgrade() -> None:
    op.add_column("rider_month", sa.Column("choices", JSONB, nullable=False, server_default="[]"))
