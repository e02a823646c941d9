"""Other operators that we ask for offers and tell of bookings; their offers; what they are told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_16_outside_offers"
down_revision = "2026_12_15_live"

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "partner",
        sa.Column("operator", sa.Text, primary_key=True),
        sa.Column("url", sa.Text),
        sa.Column("events_url", sa.Text),
        sa.Column("api_key", sa.Text),
        sa.Column("owner_id", sa.Uuid, sa.ForeignKey("user.id"), unique=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False, unique=True),
        sa.Column("added_at", WHEN, nullable=False),
        sa.Column("due_at", WHEN, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("last", pg.JSONB(none_as_null=True)),
    )
    op.create_table(
        "outside_offer",
        sa.Column("operator", sa.Text, sa.ForeignKey("partner.operator"), primary_key=True),
        sa.Column("outside_id", sa.Text, primary_key=True),
        sa.Column("offer_id", sa.Uuid, sa.ForeignKey("offer.id"), nullable=False, unique=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("seen_at", WHEN, nullable=False),
        sa.Column("ended_at", WHEN),
    )
    op.create_index(
        "outside_offer_ended",
        "outside_offer",
        ["ended_at"],
        postgresql_where=sa.text("ended_at is not null"),
    )
    op.create_table(
        "partner_event",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "partner_booking_id", sa.Uuid, sa.ForeignKey("partner_booking.id"), nullable=False
        ),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("due_at", WHEN, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("outcome", sa.Text),
        sa.UniqueConstraint("partner_booking_id", "status"),
    )
    op.create_index(
        "partner_event_due",
        "partner_event",
        ["due_at"],
        postgresql_where=sa.text("outcome is null"),
    )
