"""Where drivers come to the doors of riders: the meeting points beside stand for these."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2027_01_05_doors"
down_revision = "2027_01_04_legs_of_accounts"


def upgrade() -> None:
    for name in ("pickup_door", "dropoff_door"):
        op.add_column("booking", sa.Column(name, pg.JSONB(none_as_null=True)))
