"""The version of a database: made, brought up to date, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from jetbench.domain.errors import StoreError
from jetbench.store.database.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION_TABLE = "jetbench_version"
LATEST = "0001"
"""The newest of migrations/versions; a test sees that it is."""

_LOCK = 0x6A657462
"""Of PostgreSQL: two programs must not migrate at once. Any number that is ours alone."""


def is_ready(connection: Connection) -> bool:
    """Whether the tables are there, and those of this version."""
    return VERSION_TABLE in _tables(connection) and _version(connection) == LATEST


def prepare(connection: Connection, name: str) -> None:
    """Make the tables, or bring them up to date, in the transaction of `connection`.

    Raises:
        StoreError: It is somebody else's database, or a newer jetbench has been there.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    check(connection, name)
    if is_ready(connection):
        return

    # Of use once in the life of a database, and a tenth of a second each time.
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", "jetbench.store.database:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def check(connection: Connection, name: str) -> None:
    """Refuse a database that is not ours, or is too new.

    Raises:
        StoreError: As it says.
    """
    there = _tables(connection)
    if VERSION_TABLE in there:
        version = _version(connection)
        if version is None or version <= LATEST:
            return
        raise StoreError(
            f"{name}: written by a newer jetbench (schema {version}; this one knows {LATEST})",
            hint="upgrade jetbench here; nothing was changed",
        )
    # On a server others may have tables beside ours; a file is ours or theirs.
    foreign = there if connection.dialect.name == "sqlite" else there & set(metadata.tables)
    if foreign:
        tables = ", ".join(sorted(foreign)[:3])
        raise StoreError(
            f"{name}: this database is not jetbench's: it has other tables ({tables})",
            hint="name another with --db; nothing was changed",
        )


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def _version(connection: Connection) -> str | None:
    found = connection.execute(text(f"select version_num from {VERSION_TABLE}")).scalar()  # noqa: S608 - ours
    return None if found is None else str(found)
