"""Sweeps by the words of a user: from their folders, or from the history of a team."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.domain.errors import ResultError, StoreError, UsageError
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.domain.kept import KeptSweep
    from jetbench.store.database.history import History


def opened(word: str, results: Path, db: str | None = None) -> KeptSweep:
    """The sweep that a word means; see `jetbench.store.results.locate`.

    What is not among the folders is looked for in the history, where one is named.

    Raises:
        ResultError: There is no such sweep, or it cannot be read.
        StoreError: The history fails.
    """
    from jetbench.store.results import locate, read_sweep

    try:
        path = locate(word, results)
        if db is None or path.exists():
            return read_sweep(path)
        word = path.name
    except ResultError:
        if db is None:
            raise
        if (found := _from_history(word, results, db)) is None:
            raise
        return found
    if (found := _from_history(word, results, db)) is None:
        raise ResultError(f"{printable(word)}: it is neither in {results} nor in the history")
    return found


def named_sweep(name: str, results: Path, db: str | None = None) -> KeptSweep:
    """The sweep that is the baseline of a name.

    Raises:
        UsageError: There is no such name, or no such sweep any more.
    """
    from jetbench.store.names import named, read_names

    sweep_id = named(name, results)
    if sweep_id is None and db is not None:
        sweep_id = _name_in_history(name, results, db)
    if sweep_id is None:
        known = ", ".join(printable(each, 40) for each in sorted(read_names(results))) or "none"
        raise UsageError(
            f"there is no baseline {printable(name, 80)!r}; there is: {known}",
            hint=f"jetbench baseline set {printable(name, 80)} SWEEP",
        )
    try:
        return opened(sweep_id, results, db)
    except (ResultError, StoreError) as error:
        raise UsageError(
            f"baseline {printable(name, 80)}: {error.message}",
            hint="jetbench baseline set gives the name to another sweep",
        ) from error


def _from_history(word: str, results: Path, db: str) -> KeptSweep | None:
    from jetbench.store.database.history import open_history

    with open_history(db, results) as history:
        return history.sweep(_id_in(history, word))


def _id_in(history: History, word: str) -> str:
    return history.named(word) or word


def _name_in_history(name: str, results: Path, db: str) -> str | None:
    from jetbench.store.database.history import open_history

    with open_history(db, results) as history:
        return history.named(name)
