"""Lines of statements as they were written: nothing looks into them, and they are stored sooner."""

from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "2026_12_28_statement_lines"
down_revision = "2026_12_27_chosen_itineraries"


def upgrade() -> None:
    op.alter_column("statement", "lines", type_=pg.JSON, postgresql_using="lines::json")
