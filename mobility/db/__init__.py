"""PostgreSQL: the one door to SQLAlchemy."""
