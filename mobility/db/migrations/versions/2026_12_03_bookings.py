"""Booked rides, bookings, who is on the way when, what is told to whom and to other parts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_03_bookings"
down_revision = "2026_12_02_identities"

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "installation",
        sa.Column(
            "quote_key", sa.LargeBinary, nullable=False,
            server_default=sa.text("uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())"),
        ),
    )  # fmt: skip
    op.create_table(
        "ride",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("offer_id", sa.Uuid, sa.ForeignKey("offer.id"), nullable=False),
        sa.Column("date", sa.Date, nullable=False, index=True),
        sa.Column("offer_version", sa.Integer, nullable=False),
        sa.Column("content", pg.JSONB, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("late_s", sa.Integer, nullable=False, server_default="0"),
        sa.Column("plan", pg.JSONB, nullable=False),
        sa.UniqueConstraint("offer_id", "date"),
    )
    op.create_table(
        "booking",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("ride_id", sa.Uuid, sa.ForeignKey("ride.id"), nullable=False, index=True),
        sa.Column("rider_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("together_id", sa.Uuid, nullable=False, index=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("seats", sa.Integer, nullable=False),
        sa.Column("pickup_point", sa.Text, nullable=False),
        sa.Column("dropoff_point", sa.Text, nullable=False),
        sa.Column("pickup_from", WHEN, nullable=False),
        sa.Column("pickup_to", WHEN, nullable=False),
        sa.Column("dropoff_by", WHEN, nullable=False),
        sa.Column("price_cents", sa.Integer),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("until", WHEN),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.CheckConstraint("seats > 0", name="booking_seats"),
        sa.CheckConstraint("pickup_from < dropoff_by", name="booking_times"),
    )
    op.create_index("booking_of_rider", "booking", ["rider_id", "created_at", "id"])
    op.create_index(
        "booking_waiting", "booking", ["until"], postgresql_where=sa.text("until is not null")
    )
    op.create_index(
        "booking_seated", "booking", ["ride_id"],
        postgresql_where=sa.text(
            "state in ('held', 'pending_driver', 'confirmed', 'change_proposed', 'boarded')"
        ),
    )  # fmt: skip
    op.create_table(
        "engagement",
        sa.Column("ride_id", sa.Uuid, sa.ForeignKey("ride.id"), primary_key=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("during", pg.TSTZRANGE, nullable=False),
        # Equality of people as overlap of ranges: btree_gist is not everywhere.
        pg.ExcludeConstraint(
            (
                sa.text(
                    "int8range(uuid_hash_extended(person_id, 0), "
                    "uuid_hash_extended(person_id, 0), '[]')"
                ),
                "&&",
            ),
            ("during", "&&"),
            name="engagement_once",
            using="gist",
        ),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("booking_id", sa.Uuid, sa.ForeignKey("booking.id"), nullable=False),
        sa.Column("content", pg.JSONB, nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.UniqueConstraint("booking_id", "kind"),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("content", pg.JSONB, nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("read_at", WHEN),
    )
    op.create_index("notice_of_person", "notice", ["person_id", "id"])
