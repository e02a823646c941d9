"""An epoch of the installation: it changes when a backup is restored, and processes load anew."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_epoch"
down_revision = "2026_11_23_1"


def upgrade() -> None:
    op.add_column(
        "installation",
        sa.Column("epoch", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")),
    )
