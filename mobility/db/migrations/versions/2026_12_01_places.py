"""Places of people, each with the one that stands for it; what a driver entered of an offer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_01_places"
down_revision = "2026_11_30_offer_states"


def upgrade() -> None:
    op.create_table(
        "person_place",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("lat", sa.Double, nullable=False),
        sa.Column("lon", sa.Double, nullable=False),
        sa.Column("moved_lat", sa.Double, nullable=False),
        sa.Column("moved_lon", sa.Double, nullable=False),
    )
    op.add_column("offer", sa.Column("entered", pg.JSONB))
