"""Users, their sessions and tokens, and the audit log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_11_29_users"
down_revision = "2026_11_28_elevators"

INSERT_ONLY = """
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is insert-only', tg_table_name using errcode = 'insufficient_privilege';
end $$
"""
GUARD = """
create trigger audit_is_insert_only before update or delete or truncate on audit
for each statement execute function refuse_change()
"""


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    op.create_table(
        "user",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False, unique=True),
        sa.Column("email", sa.Text, unique=True),
        sa.Column("password_hash", sa.Text),
        sa.Column("scopes", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", at, nullable=False),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("user.id"), nullable=False, index=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("scopes", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", at, nullable=False),
        sa.Column("used_at", at, nullable=False),
        sa.Column("expires_at", at, nullable=False),
        sa.Column("revoked_at", at),
        sa.CheckConstraint("kind in ('sign_in', 'token')", name="session_kind"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", at, nullable=False),
        sa.Column("actor_id", sa.Uuid),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", pg.JSONB, nullable=False),
    )
    op.execute(INSERT_ONLY)
    op.execute(GUARD)
