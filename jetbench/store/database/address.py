"""Which database a user means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from jetbench.domain.errors import UsageError
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from pathlib import Path

FILE = "history.sqlite"
"""In the folder of the sweeps, where no other database is named."""

_CONNECT_S = 10
_HINT = "write postgresql://USER@HOST/NAME, or the path of a file for SQLite"
_POSTGRESQL = frozenset({"postgresql", "postgres", "postgresql+psycopg"})


def address_of(url: str | None, results: Path) -> URL:
    """The address of a history.

    Args:
        url: As the user wrote it: ``postgresql://…``, ``sqlite:///FILE``, or a file; None for
            the one beside the sweeps.
        results: The folder of the sweeps.

    Raises:
        UsageError: It is none that jetbench knows, or a password stands in it.
    """
    if url is None:
        return URL.create("sqlite", database=str(results / FILE))
    if "://" not in url:
        if not url or "\0" in url:
            raise UsageError("--db: this names no file", hint=_HINT)
        return URL.create("sqlite", database=url)
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        # Not repeated: a password may stand in what cannot be read.
        raise UsageError("--db: this is no URL of a database", hint=_HINT) from None
    if address.password is not None or "password" in address.query:
        raise UsageError(
            "--db: a password in a URL is seen by everybody on this machine",
            hint="leave it out, and put it into ~/.pgpass or $PGPASSWORD",
        )
    if address.drivername in _POSTGRESQL:
        return _with_limits(address.set(drivername="postgresql+psycopg"))
    if address.drivername != "sqlite":
        kind = printable(address.drivername)
        raise UsageError(f"--db: {kind} is no kind of database that jetbench knows", hint=_HINT)
    if not address.database or address.database == ":memory:" or address.query:
        raise UsageError("--db: this names no file", hint="sqlite:///FILE, or FILE alone")
    return address


def shown(address: URL) -> str:
    """The address as a message names it: no secret is in it."""
    if address.drivername == "sqlite":
        return printable(str(address.database))
    plain = address.set(drivername="postgresql", query={})
    return printable(plain.render_as_string(hide_password=True))


def _with_limits(address: URL) -> URL:
    """Nobody waits for a server for longer than these."""
    if "connect_timeout" in address.query:
        return address
    return address.update_query_dict({"connect_timeout": str(_CONNECT_S)})
