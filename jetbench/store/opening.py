"""Sweeps by the words of a user: from their folders, or from the history of a team."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.domain.errors import ResultError, StoreError, UsageError
from jetbench.formats.result_read import document_node, sweep_of
from jetbench.formats.words import printable
from jetbench.store.names import named, read_names
from jetbench.store.results import locate, result_text

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.domain.kept import KeptSweep
    from jetbench.formats.json_node import JsonNode


def opened(word: str, results: Path, db: str | None = None) -> KeptSweep:
    """The sweep that a word means; see `jetbench.store.results.locate`.

    What is not among the folders is looked for in the history, where one is named.

    Raises:
        ResultError: There is no such sweep, or it cannot be read.
        StoreError: The history fails.
    """
    return sweep_of(opened_node(word, results, db))


def opened_node(word: str, results: Path, db: str | None = None) -> JsonNode:
    """As `opened`: the document, as it was kept.

    Raises:
        ResultError: There is no such sweep, or it is no document of one.
        StoreError: The history fails.
    """
    sought = word
    try:
        path = locate(word, results)
        if not path.exists():
            sought = path.name
            raise ResultError(  # noqa: TRY301 - the history may still have it
                f"{printable(word)} is {printable(path.name)}, which is not in {results} any more",
                hint="jetbench baseline set gives the name to another sweep",
            )
        text, source = result_text(path)
    except ResultError:
        found = None if db is None else _from_history(sought, results, db)
        if found is None:
            raise
        text, source = found, f"history: {word}"
    return document_node(text, source)


def named_sweep(name: str, results: Path, db: str | None = None) -> KeptSweep:
    """The sweep that is the baseline of a name.

    Raises:
        UsageError: There is no such name, or no such sweep any more.
    """
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


def _from_history(word: str, results: Path, db: str) -> str | None:
    # Late: most sweeps are found among the folders, and SQLAlchemy takes a seventh of a second.
    from jetbench.store.database.history import open_history  # noqa: PLC0415

    with open_history(db, results) as history:
        return history.document(history.named(word) or word)


def _name_in_history(name: str, results: Path, db: str) -> str | None:
    # Late, as above.
    from jetbench.store.database.history import open_history  # noqa: PLC0415

    with open_history(db, results) as history:
        return history.named(name)
