"""A sweep into the history, right after it was measured; the folder is what counts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from jetbench.formats.words import escaped

if TYPE_CHECKING:
    from pathlib import Path


def check_database(db: str | None, results: Path) -> None:
    """See before any board is touched that a URL names a database. It may be away for now.

    Raises:
        UsageError: It names none, or holds a password.
    """
    if db is not None:
        from jetbench.store.database.address import address_of

        address_of(db, results)


def remember(folder: Path, db: str | None) -> None:
    """Bring a sweep into the history; where that fails, say how it gets there later.

    Never raises: a sweep was measured, whatever its database does.
    """
    from jetbench.store.histories import remembered

    error = remembered(folder, db)
    if error is not None:
        where = "" if db is None else f" --db {escaped(db)}"
        print(
            f"warning: this sweep is not in the history: {escaped(error.message)}\n"
            f"hint: it is kept in its folder; later: jetbench results import "
            f"{escaped(str(folder))}{where}",
            file=sys.stderr,
        )
