"""Versions of the tariff: as they were written, and from which day each holds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_21_tariffs"
down_revision = "2026_12_20_payers"

_WRITTEN_ONCE = """
create function refuse_other_tariff() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    if old.reviewed_at is not null then
      raise exception 'a tariff that was reviewed is kept' using errcode = 'check_violation';
    end if;
    return old;
  end if;
  if (new.hash, new.name, new.source) is distinct from (old.hash, old.name, old.source) then
    raise exception 'a version of a tariff is not changed' using errcode = 'check_violation';
  end if;
  return new;
end $$
"""


def upgrade() -> None:
    op.create_table(
        "tariff_version",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True)),
        sa.Column("findings", pg.JSONB, nullable=False, server_default="[]"),
    )
    op.create_table(
        "tariff_publication",
        sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
        sa.Column("hash", sa.Text, sa.ForeignKey("tariff_version.hash"), nullable=False),
        sa.Column("effective_from", sa.Date),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.Index(
            "tariff_publication_by_day",
            sa.text("coalesce(effective_from, '-infinity')"),
            unique=True,
            postgresql_where=sa.text("withdrawn_at is null"),
        ),
    )
    op.execute(_WRITTEN_ONCE)
    op.execute(
        "create trigger tariff_version_is_kept before update or delete on tariff_version "
        "for each row execute function refuse_other_tariff()"
    )
    op.execute(
        "create trigger tariff_version_stays before truncate on tariff_version "
        "execute function refuse_change()"
    )
