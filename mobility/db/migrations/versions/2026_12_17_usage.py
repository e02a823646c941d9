"""What riders used, and what it costs them: accounts, cards, taps, legs, proofs, months."""

import datetime as dt

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_17_usage"
down_revision = "2026_12_16_outside_offers"


def _moment(name: str, *, nullable: bool = False) -> sa.Column[dt.datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "fare_account",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), unique=True),
        _moment("created_at"),
    )
    op.create_table(
        "medium",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column(
            "account_id", sa.Uuid, sa.ForeignKey("fare_account.id"), nullable=False, index=True
        ),
        sa.Column("label", sa.Text, nullable=False),
        _moment("linked_at", nullable=True),
    )
    op.create_table(
        "tap",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("medium", sa.LargeBinary),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("stop", sa.Text),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("operator", sa.Text, nullable=False),
        _moment("at"),
        _moment("received_at"),
        sa.Index("tap_of_medium", "medium", "at"),
        sa.Index("tap_by_age", "received_at", postgresql_where=sa.text("medium is not null")),
    )
    op.create_table(
        "fare_leg",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("fare_account.id")),
        sa.Column("mode", sa.Text, nullable=False),
        _moment("board_at"),
        sa.Column("metres", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("zones", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("operator", sa.Text, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("promised_cents", sa.Integer),
        _moment("received_at"),
        sa.Index("fare_leg_of_account", "account_id", "board_at"),
        sa.Index("fare_leg_by_age", "board_at", postgresql_where=sa.text("account_id is not null")),
    )
    op.create_table(
        "proof",
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("category", sa.Text, primary_key=True),
        sa.Column("valid_from", sa.Date, primary_key=True),
        sa.Column("valid_to", sa.Date, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        _moment("at"),
        sa.CheckConstraint("valid_from <= valid_to", name="proof_in_order"),
    )
    op.create_table(
        "rider_month",
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("fare_account.id"), primary_key=True),
        sa.Column("month", sa.Date, primary_key=True),
        sa.Column("amount_cents", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("leg_count", sa.Integer, nullable=False),
        sa.Column("unpriced_count", sa.Integer, nullable=False),
        sa.Column("tariff_hash", sa.Text, nullable=False),
        _moment("rated_at"),
        sa.CheckConstraint("amount_cents >= 0", name="month_not_negative"),
    )
    op.add_column("outbox", _moment("billed_at", nullable=True))
    # Rides of before were never to be billed here.
    op.execute("update outbox set billed_at = at")
    op.create_index(
        "outbox_to_bill",
        "outbox",
        ["id"],
        postgresql_where=sa.text("billed_at is null and kind = 'ride_completed'"),
    )
