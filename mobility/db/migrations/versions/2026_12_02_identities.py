"""Users whom an OpenID Connect issuer vouches for, and sign-ins under way."""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_02_identities"
down_revision = "2026_12_01_places"


def upgrade() -> None:
    op.create_table(
        "identity",
        sa.Column("issuer", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("user.id"), nullable=False, index=True),
    )
    op.create_table(
        "sign_in_begun",
        sa.Column("state_digest", sa.LargeBinary, primary_key=True),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("verifier", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, index=True),
    )
