"""What a rider proves may be a pass or who pays for him; of each month, who paid which part."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_20_payers"
down_revision = "2026_12_19_statements"


def upgrade() -> None:
    op.alter_column("proof", "category", new_column_name="name")
    op.add_column("proof", sa.Column("kind", sa.Text, nullable=False, server_default="category"))
    op.add_column("proof", sa.Column("party", sa.Text, nullable=False, server_default=""))
    op.drop_constraint("proof_pkey", "proof")
    op.create_primary_key(
        "proof_pkey", "proof", ["person_id", "kind", "name", "party", "valid_from"]
    )
    op.create_check_constraint("proof_kind", "proof", "kind in ('category', 'held_pass', 'payer')")
    for table in ("rider_month", "statement"):
        op.add_column(table, sa.Column("parts", pg.JSONB, nullable=False, server_default="[]"))
    op.add_column(
        "rider_month", sa.Column("is_stale", sa.Boolean, nullable=False, server_default="false")
    )
    op.execute(
        "update rider_month set is_stale = true where state in ('issued', 'settled') "
        "and amount_cents <> posted_cents + lost_cents"
    )
    op.create_index(
        "stale_rider_month", "rider_month", ["account_id"], postgresql_where=sa.text("is_stale")
    )
    op.create_table(
        "payer_budget",
        sa.Column("payer", sa.Text, primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("spent_cents", sa.BigInteger, nullable=False),
    )
