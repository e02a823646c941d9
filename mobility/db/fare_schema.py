"""Tables of what riders use, of what it costs them, and of the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mobility.db.schema import metadata

fare_account = sa.Table(
    "fare_account",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), unique=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("erase_since", sa.DateTime(timezone=True)),
)

medium = sa.Table(
    "medium",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("fare_account.id"), nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("linked_at", sa.DateTime(timezone=True)),
)

tap = sa.Table(
    "tap",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("medium", sa.LargeBinary),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("stop", sa.Text),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("told_ahead_s", sa.Integer, nullable=False, server_default="0"),
)

ride_half = sa.Table(
    "ride_half",
    metadata,
    sa.Column("ride", sa.Text, primary_key=True),
    sa.Column("half", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("medium", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("metres", sa.Integer, nullable=False),
    sa.Column("zones", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
)

fare_leg = sa.Table(
    "fare_leg",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("fare_account.id")),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("board_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("metres", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Integer, nullable=False),
    sa.Column("zones", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("operator", sa.Text, nullable=False),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("promised_cents", sa.Integer),
    sa.Column("line_metres", sa.Integer),
    sa.Column("line_zones", pg.ARRAY(sa.Text)),
    sa.Column("ended_by", sa.Text),
)

chosen_itinerary = sa.Table(
    "chosen_itinerary",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("fare_account.id"), nullable=False),
    sa.Column("legs", pg.JSONB, nullable=False),
    sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("dropped_at", sa.DateTime(timezone=True)),
    sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
)

pay_invitation = sa.Table(
    "pay_invitation",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("fare_account.id"), nullable=False),
    sa.Column("valid_to", sa.Date, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)

proof = sa.Table(
    "proof",
    metadata,
    sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("party", sa.Text, primary_key=True),
    sa.Column("valid_from", sa.Date, primary_key=True),
    sa.Column("valid_to", sa.Date, nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

rider_month = sa.Table(
    "rider_month",
    metadata,
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("fare_account.id"), primary_key=True),
    sa.Column("month", sa.Date, primary_key=True),
    sa.Column("amount_cents", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("leg_count", sa.Integer, nullable=False),
    sa.Column("unpriced_count", sa.Integer, nullable=False),
    sa.Column("tariff_hash", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("posted_cents", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("lost_cents", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("posting_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("issued_at", sa.DateTime(timezone=True)),
    sa.Column("parts", pg.JSONB, nullable=False, server_default="[]"),
    sa.Column("shares", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("choices", pg.JSONB, nullable=False, server_default="[]"),
    sa.Column("is_stale", sa.Boolean, nullable=False, server_default="false"),
)

device = sa.Table(
    "device",
    metadata,
    sa.Column("owner_id", sa.Uuid, sa.ForeignKey("user.id"), primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("public_key", pg.JSONB, nullable=False),
    sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("next_number", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("last_at", sa.DateTime(timezone=True)),
    sa.Column("gaps", pg.JSONB, nullable=False, server_default="[]"),
    sa.Column("clock_ahead_s", sa.Integer),
)

held_usage = sa.Table(
    "held_usage",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner_id", sa.Uuid, sa.ForeignKey("user.id"), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("clock_ahead_s", sa.Integer, nullable=False),
    sa.Column("events", pg.JSONB, nullable=False),
)

tariff_version = sa.Table(
    "tariff_version",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("reviewed_at", sa.DateTime(timezone=True)),
    sa.Column("findings", pg.JSONB, nullable=False, server_default="[]"),
)

tariff_publication = sa.Table(
    "tariff_publication",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
    sa.Column("hash", sa.Text, sa.ForeignKey("tariff_version.hash"), nullable=False),
    sa.Column("effective_from", sa.Date),
    sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
)

payer_budget = sa.Table(
    "payer_budget",
    metadata,
    sa.Column("payer", sa.Text, primary_key=True),
    sa.Column("year", sa.Integer, primary_key=True),
    sa.Column("spent_cents", sa.BigInteger, nullable=False),
)

statement = sa.Table(
    "statement",
    metadata,
    sa.Column("year", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("fare_account.id"), nullable=False),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("amount_cents", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("lines", pg.JSON, nullable=False),
    sa.Column("parts", pg.JSONB, nullable=False, server_default="[]"),
    sa.Column("guessed", pg.JSON),
    sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
)

closed_month = sa.Table(
    "closed_month",
    metadata,
    sa.Column("month", sa.Date, primary_key=True),
    sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
)

statement_number = sa.Table(
    "statement_number",
    metadata,
    sa.Column("year", sa.Integer, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)

posting = sa.Table(
    "posting",
    metadata,
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
)

ledger_balance = sa.Table(
    "ledger_balance",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("currency", sa.Text, primary_key=True),
    sa.Column("debit_cents", sa.BigInteger, nullable=False),
    sa.Column("credit_cents", sa.BigInteger, nullable=False),
)

ledger_day = sa.Table(
    "ledger_day",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("posting_count", sa.BigInteger, nullable=False),
)

ledger_period = sa.Table(
    "ledger_period",
    metadata,
    sa.Column("period", sa.Text, primary_key=True),
    sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
)
