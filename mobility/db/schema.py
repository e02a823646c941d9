"""Tables; the migrations under `migrations/versions` create them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData()

installation = sa.Table(
    "installation",
    metadata,
    sa.Column("territory_id", sa.Text, primary_key=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("epoch", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")),
)

person = sa.Table(
    "person",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("alias", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)

offer = sa.Table(
    "offer",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("driver_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("content", pg.JSONB, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)

compiled_offer = sa.Table(
    "compiled_offer",
    metadata,
    sa.Column("offer_id", sa.Uuid, sa.ForeignKey("offer.id"), primary_key=True),
    sa.Column("offer_version", sa.Integer, primary_key=True),
    sa.Column("ground_hash", sa.Text, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

change = sa.Table(
    "change",
    metadata,
    sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Uuid, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

elevator_outage = sa.Table(
    "elevator_outage",
    metadata,
    sa.Column("elevator_id", sa.Text, primary_key=True),
    sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
)
