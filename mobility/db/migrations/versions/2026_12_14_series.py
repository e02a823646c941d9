"""Weekly series of bookings; people for whom agents book."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_14_series"
down_revision = "2026_12_13_audience"

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "series",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("rider_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("content", pg.JSONB, nullable=False),
        sa.Column("ends", pg.JSONB(none_as_null=True)),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("ended_at", WHEN),
    )
    op.create_index("series_of_rider", "series", ["rider_id", "created_at"])
    op.create_table(
        "series_date",
        sa.Column("series_id", sa.Uuid, sa.ForeignKey("series.id"), primary_key=True),
        sa.Column("date", sa.Date, primary_key=True),
        sa.Column("way", sa.Text, primary_key=True),
        sa.Column("together_id", sa.Uuid, unique=True),
        sa.Column("reason", sa.Text),
        sa.CheckConstraint("together_id is null or reason is null", name="series_date_answer"),
    )
    op.create_index(
        "series_date_open", "series_date", ["series_id"],
        postgresql_where=sa.text("together_id is null and reason is null"),
    )  # fmt: skip
    op.create_table(
        "assisted",
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("user.id"), primary_key=True),
        sa.Column("telephone", sa.Text, nullable=False, index=True),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("claim_digest", sa.LargeBinary, unique=True),
        sa.Column("claim_until", WHEN),
    )
