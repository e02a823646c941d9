"""Alembic runs migrations on the connection that `mobility.db.engine.upgrade` hands over."""

from alembic import context

from mobility.db import fare_schema  # noqa: F401 — its tables are of the same metadata
from mobility.db.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
