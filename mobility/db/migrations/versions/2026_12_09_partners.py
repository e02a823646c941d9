"""Other carpool operators: their riders, bookings across operators, wishes shown to them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_09_partners"
down_revision = "2026_12_08_ratings"

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("wish", sa.Column("shared", pg.JSONB(none_as_null=True)))
    op.create_index(
        "wish_shared", "wish", ["valid_to"], postgresql_where=sa.text("open and shared is not null")
    )
    op.create_table(
        "partner_person",
        sa.Column("owner_id", sa.Uuid, sa.ForeignKey("user.id"), primary_key=True),
        sa.Column("operator", sa.Text, primary_key=True),
        sa.Column("outside_id", sa.Text, primary_key=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False, unique=True),
    )
    op.create_table(
        "partner_booking",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("owner_id", sa.Uuid, sa.ForeignKey("user.id"), nullable=False),
        sa.Column("outside_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("content", pg.JSONB, nullable=False),
        sa.Column("status", sa.Text),
        sa.Column("booking_id", sa.Uuid, sa.ForeignKey("booking.id"), unique=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id")),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.UniqueConstraint("owner_id", "outside_id"),
    )
    op.create_index(
        "partner_booking_of_person",
        "partner_booking",
        ["person_id", "created_at"],
        postgresql_where=sa.text("person_id is not null"),
    )
