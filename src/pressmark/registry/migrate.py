"""Brings a store's schema up to date, and refuses one that a newer Pressmark made."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import sqlalchemy as sa

from pressmark.errors import RegistryError

MIGRATIONS = "pressmark.registry.migrations"


def newest() -> str:
    """Return the number of the newest migration that this Pressmark knows."""
    versions = resources.files(MIGRATIONS) / "versions"
    found = (re.fullmatch(r"m(\d{4})_\w+\.py", file.name) for file in versions.iterdir())
    return max(match[1] for match in found if match)


def current(connection: sa.Connection, where: str) -> str | None:
    """Return the number of the store's last migration, or None for an empty store.

    Raises:
        RegistryError: The database holds something else, or a newer Pressmark's registry.
    """
    tables = set(sa.inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        if tables:
            raise RegistryError(
                f"{where} is a database with other tables ({', '.join(sorted(tables)[:3])}, …), not a Pressmark"
                " registry: give the registry a file or database of its own",
                code="not_a_registry",
            )
        return None
    number: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    if "registry" not in tables:
        raise RegistryError(
            f"{where} belongs to another program, not to a Pressmark registry: give the registry a database of its own",
            code="not_a_registry",
        )
    if number is not None and number > newest():
        raise RegistryError(
            f"{where} was made by a newer Pressmark (schema {number}; this one knows {newest()}):"
            " upgrade with pip install -U pressmark",
            code="newer_schema",
        )
    return number


def upgrade(connection: sa.Connection) -> None:
    """Run the missing migrations on the connection, within its transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    with resources.as_file(resources.files(MIGRATIONS)) as folder:
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("version_locations", str(Path(folder) / "versions").replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
