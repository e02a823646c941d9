"""Servers that the product brings along: PostgreSQL and Valkey, in its own folder."""
