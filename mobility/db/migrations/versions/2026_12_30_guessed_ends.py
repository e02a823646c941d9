"""How the end of a leg was guessed, and of how many legs a statement says so."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_30_guessed_ends"
down_revision = "2026_12_29_revenue_by_operator"


def upgrade() -> None:
    op.add_column("fare_leg", sa.Column("ended_by", sa.Text))
    op.add_column("statement", sa.Column("guessed", pg.JSON))
    # Of legs from before that end as chosen, or where one boarded next, nobody knows it any more.
    op.execute(
        "update fare_leg set ended_by = case when (metres, zones) = (line_metres, line_zones)"
        " then 'line_maximum' else 'habit' end where line_metres is not null"
    )
