"""Months that are closed: what of them is posted, and the statements that were issued."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_19_statements"
down_revision = "2026_12_18_ledger"


def upgrade() -> None:
    op.add_column("rider_month", sa.Column("state", sa.Text, nullable=False, server_default="open"))
    for name in ("posted_cents", "lost_cents"):
        op.add_column(
            "rider_month", sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
        )
    op.add_column(
        "rider_month", sa.Column("posting_count", sa.Integer, nullable=False, server_default="0")
    )
    op.add_column("rider_month", sa.Column("issued_at", sa.DateTime(timezone=True)))
    op.create_check_constraint(
        "month_state", "rider_month", "state in ('open', 'provisional', 'issued', 'settled')"
    )
    op.create_index("rider_month_by_month", "rider_month", ["month", "account_id"])
    op.create_table(
        "statement",
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("fare_account.id"), nullable=False),
        sa.Column("month", sa.Date, nullable=False),
        sa.Column("amount_cents", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("lines", pg.JSONB, nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Index("statement_of_account", "account_id", "month"),
        sa.CheckConstraint(
            "kind in ('statement', 'credit_note', 'supplement')", name="statement_kind"
        ),
    )
    op.create_table(
        "statement_number",
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("last", sa.Integer, nullable=False),
    )
    op.create_table(
        "closed_month",
        sa.Column("month", sa.Date, primary_key=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.execute(
        "create trigger statement_is_insert_only before update or delete or truncate on statement "
        "execute function refuse_change()"
    )
