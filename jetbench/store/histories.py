"""The history beside the folders of sweeps, or that of a team."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from jetbench.domain.errors import JetbenchError
from jetbench.formats.words import escaped
from jetbench.store.database.address import FILE
from jetbench.store.database.folders import add_folder, reindex
from jetbench.store.database.history import open_history
from jetbench.store.results import sweeps_below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jetbench.store.database.history import History


@contextmanager
def the_history(
    db: str | None, results: Path, saw: Callable[[str], None] = lambda _: None
) -> Iterator[History]:
    """The history; where there is none yet beside the folders of sweeps, it is made from them.

    What is worth to be told of that is given to `saw`, a line each.

    Raises:
        UsageError: The URL is none.
        ResultError: The folder of the sweeps is not there, or cannot be read.
        StoreError: The history fails.
    """
    fresh = db is None and not (results / FILE).exists()
    if fresh and (count := len(sweeps_below(results))):
        sweeps = "sweep" if count == 1 else "sweeps"
        saw(f"note: the history is made from the folders of {count} {sweeps}")
    with open_history(db, results, create=fresh) as history:
        if fresh:
            for one in reindex(history, results):
                if one.error is not None:
                    saw(f"warning: left out: {escaped(one.error.message)}")
        yield history


def remembered(folder: Path, db: str | None) -> JetbenchError | None:
    """Bring a sweep into the history, right after it was measured; what was in the way of it.

    Never raises: a sweep was measured, whatever its database does.
    """
    try:
        with open_history(db, folder.parent, create=True) as history:
            add_folder(history, folder)
    except JetbenchError as error:
        return error
    return None
