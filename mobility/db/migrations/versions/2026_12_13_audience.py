"""Who rides with whom, what riders bring along, and meeting points that people report."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_13_audience"
down_revision = "2026_12_09_partners"

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "person", sa.Column("is_woman", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column("person", sa.Column("verified_at", WHEN))
    op.add_column(
        "booking", sa.Column("needs", pg.ARRAY(sa.Text), nullable=False, server_default="{}")
    )
    op.create_table(
        "community",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("code", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", WHEN, nullable=False),
    )
    op.create_table(
        "community_member",
        sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True, index=True),
        sa.Column("joined_at", WHEN, nullable=False),
    )
    op.create_table(
        "person_block",
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("other_id", sa.Uuid, sa.ForeignKey("person.id"), primary_key=True, index=True),
        sa.Column("at", WHEN, nullable=False),
    )
    op.create_table(
        "point_report",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("point_id", sa.Text, nullable=False),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("settled_at", WHEN),
    )
    op.create_index(
        "point_report_in_force",
        "point_report",
        ["point_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("settled_at is null"),
    )
    op.create_table(
        "point_suspension",
        sa.Column("point_id", sa.Text, primary_key=True),
        sa.Column("since_at", WHEN, nullable=False),
        sa.Column("confirmed_at", WHEN),
    )
