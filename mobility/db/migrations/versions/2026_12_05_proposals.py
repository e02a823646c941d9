"""Proposals to regular commuters, and the day up to which these were matched."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_05_proposals"
down_revision = "2026_12_04_wishes"

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("wish_id", sa.Uuid, sa.ForeignKey("wish.id"), nullable=False),
        sa.Column("offer_id", sa.Uuid, sa.ForeignKey("offer.id"), nullable=False, index=True),
        sa.Column("back_offer_id", sa.Uuid, sa.ForeignKey("offer.id"), index=True),
        sa.Column("rider_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("driver_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("content", pg.JSONB, nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.Column("until", WHEN, nullable=False),
    )
    op.create_index("proposal_of_rider", "proposal", ["rider_id", "at"])
    op.create_index("proposal_of_driver", "proposal", ["driver_id", "at"])
    op.create_index(
        "proposal_of_wish", "proposal", ["wish_id"], unique=True,
        postgresql_where=sa.text("state in ('open', 'interested')"),
    )  # fmt: skip
    op.execute("insert into follower values ('commuters', 0)")
