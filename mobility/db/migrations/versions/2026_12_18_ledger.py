"""The ledger: postings that nobody can change, balances, closed days and periods."""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_18_ledger"
down_revision = "2026_12_17_usage"

GUARDS = """
create function refuse_closed() returns trigger language plpgsql as $$
begin
    if exists (
        select from posted where exists (select from ledger_period p where p.period = posted.period)
    ) then
        raise exception 'the period of a posting is closed' using errcode = 'check_violation';
    end if;
    if exists (
        select from posted where exists (select from ledger_day d where d.day >= posted.posted_on)
    ) then
        raise exception 'the day of a posting is closed' using errcode = 'check_violation';
    end if;
    return null;
end $$;
create trigger posting_is_insert_only before update or delete or truncate on posting
    execute function refuse_change();
create trigger posting_of_open_period after insert on posting
    referencing new table as posted for each statement execute function refuse_closed();
create trigger ledger_day_is_insert_only before update or delete or truncate on ledger_day
    execute function refuse_change();
create trigger ledger_period_is_insert_only before update or delete or truncate on ledger_period
    execute function refuse_change();
"""


def upgrade() -> None:
    op.create_table(
        "posting",
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("group", sa.Text, nullable=False),
        sa.Column("nth", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("debit", sa.Text, nullable=False),
        sa.Column("credit", sa.Text, nullable=False),
        sa.Column("amount_cents", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("posted_on", sa.Date, nullable=False),
        sa.UniqueConstraint("group", "nth"),
        sa.CheckConstraint("amount_cents > 0", name="posting_moves_something"),
        sa.CheckConstraint("debit <> credit", name="posting_between_two"),
        # Both grow with the table: block ranges are enough, and cost nothing to keep.
        sa.Index("posting_of_period", "period", postgresql_using="brin"),
        sa.Index("posting_of_day", "posted_on", postgresql_using="brin"),
    )
    op.create_table(
        "ledger_balance",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("currency", sa.Text, primary_key=True),
        sa.Column("debit_cents", sa.BigInteger, nullable=False),
        sa.Column("credit_cents", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ledger_day",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("posting_count", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ledger_period",
        sa.Column("period", sa.Text, primary_key=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.execute(GUARDS)
