"""Numbered changes of the registry's schema, run by alembic when a store is opened."""
