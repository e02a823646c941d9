"""The schema of the database."""

from __future__ import annotations

from alembic.config import Config
from alembic.script import ScriptDirectory

from mobility.db.engine import MIGRATIONS, known_schemas


def test_migrations_are_known_by_their_files_in_the_order_in_which_they_run() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    newest_first = [s.revision for s in ScriptDirectory.from_config(config).walk_revisions()]
    assert known_schemas() == newest_first[::-1]
