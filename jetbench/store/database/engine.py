"""The way to a database: opened, in one transaction at a time, and its errors in our words."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from jetbench.domain.errors import StoreError
from jetbench.formats.words import printable
from jetbench.store.database.address import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

WAIT_S = 30.0
"""For another program that writes. An ingest of a night takes a few seconds."""

REBUILD = "delete it, and make it again from the folders: jetbench results reindex"
"""What to do about a database that cannot be read."""

_SHOWN = 300
_WORDS = (
    ("is locked", "another program has locked it", "try again once that has ended"),
    ("readonly", "it is read-only", "see the rights of the file and of its folder"),
    ("read-only", "it is read-only", "see the rights of the file and of its folder"),
    ("unable to open", "it cannot be opened", "see whether the folder is there, and its rights"),
    ("is full", "the disk is full", "free some space; what was there before is there still"),
    ("disk I/O error", "the disk fails", "see whether it is full"),
    ("No space left", "the server's disk is full", "free some space there"),
    ("not a database", "this file is no SQLite database", "name another with --db"),
    ("malformed", "it is damaged", REBUILD),
    ("password authentication failed", "the server does not take the password",
     "put it into ~/.pgpass or $PGPASSWORD"),
    ("no password supplied", "the server asks for a password",
     "put it into ~/.pgpass or $PGPASSWORD"),
    ("permission denied", "the user may not do that there", "ask for the rights to this database"),
    ("lock timeout", "another program has locked it", "try again once that has ended"),
    ("does not exist", "the server has no such database or user", "create it, or see --db"),
    ("refused", "no server answers there", "start it, or see --db"),
    ("could not translate", "no such host is known", "see --db"),
    ("failed to resolve", "no such host is known", "see --db"),
    ("timeout", "no server answers there in time", "start it, or see --db"),
    ("server closed the connection", "the server has ended the connection", "try again"),
)  # fmt: skip
"""What a driver says, what it means, what to do."""


def open_engine(address: URL) -> Engine:
    """The engine of a database.

    Raises:
        StoreError: The driver for it is not installed.
    """
    try:
        if address.drivername == "sqlite":
            engine = create_engine(address, connect_args={"timeout": WAIT_S})
            _take_transactions(engine)
            return engine
        # A night is sent in some hundred rows at a time.
        return create_engine(
            address, connect_args={"options": f"-c lock_timeout={int(WAIT_S * 1000)}"}
        )
    except (ImportError, NoSuchModuleError) as error:
        raise StoreError(
            f"{shown(address)}: the driver for PostgreSQL is not installed",
            hint="pip install 'jetbench[postgresql]'",
        ) from error


def _take_transactions(engine: Engine) -> None:
    """Begin transactions where we say so.

    Python's driver begins them late and ends them early: a migration that is cut off would
    leave half of its tables, and two programs that read before they write would be in each
    other's way for ever.
    """

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's
        connection.isolation_level = None
        connection.execute("pragma foreign_keys = on")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("begin immediate" if write else "begin")


@contextmanager
def transaction(engine: Engine, *, write: bool = False) -> Iterator[Connection]:
    """One transaction: all of it, or nothing where an error leaves it.

    Raises:
        StoreError: What the database has to say, in our words.
    """
    with (
        translated(engine.url),
        engine.connect().execution_options(write=write) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def translated(address: URL) -> Iterator[None]:
    """Say the driver's errors in our words, naming the database."""
    try:
        yield
    except (SQLAlchemyError, OverflowError, UnicodeError) as error:
        raise _in_our_words(error, shown(address)) from error


def _in_our_words(error: Exception, name: str) -> StoreError:
    said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    for words, meaning, hint in _WORDS:
        if words.casefold() in said.casefold():
            return StoreError(f"{name}: {meaning}", hint=hint)
    first = said.splitlines()[0] if said else type(error).__name__
    return StoreError(f"{name}: {printable(first, _SHOWN)}")


def is_yet_to_be_made(address: URL) -> bool:
    """Whether there is no database because nobody has made its file yet."""
    return address.drivername == "sqlite" and not Path(str(address.database)).exists()


def check_file(address: URL, *, create: bool) -> None:
    """See that the file of an SQLite database is there, or that it may be made: for us alone.

    Raises:
        StoreError: It is not.
    """
    if address.drivername != "sqlite":
        return
    path = Path(str(address.database))
    try:
        if path.exists():
            return
        if create:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
            return
    except OSError as error:
        raise StoreError(f"{path}: cannot be made: {error.strerror}") from error
    raise StoreError(
        f"{path}: there is no history here yet",
        hint="make it from the folders of the sweeps: jetbench results reindex",
    )
