"""Giving a sweep a name, in the folder of the sweeps and in their history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.domain.errors import ResultError, UsageError
from jetbench.formats.words import escaped
from jetbench.store.names import check_name, read_names, set_name
from jetbench.store.opening import opened

if TYPE_CHECKING:
    from pathlib import Path


def give_name(name: str, sweep: str, results: Path, db: str | None) -> tuple[str, str | None]:
    """Let a name stand for a sweep.

    Returns:
        The id of the sweep, and that of the one that had the name before.

    Raises:
        UsageError: That is no name, or the sweep is not among those of the folder.
        ResultError: There is no such sweep.
        StoreError: The folder, or the history, cannot be written to.
    """
    check_name(name)
    kept = opened(sweep, results, db)
    try:
        opened(kept.id, results, db)
    except ResultError as error:
        # It was named by a path from elsewhere: a night would look for it in vain.
        raise UsageError(
            f"{escaped(kept.source)}: a name stands for a sweep in {results}, and this is none",
            hint="bring it in first: jetbench results import FILE",
        ) from error
    before = set_name(results, name, kept.id)
    tell_history(name, kept.id, results, db)
    return kept.id, before


def known_names(results: Path, db: str | None) -> dict[str, str]:
    """The ids of sweeps by their names: those of this folder, and those of a team's history.

    Where both have a name, it is what this folder says, as for all that takes a name.

    Raises:
        ResultError: The names of the folder were changed by hand.
        StoreError: A history is named, and fails.
    """
    of_team: dict[str, str] = {}
    if db is None:
        return read_names(results)
    # Late: most hosts have no other names than their own, and SQLAlchemy takes its time.
    from jetbench.store.database.address import address_of  # noqa: PLC0415
    from jetbench.store.database.engine import is_yet_to_be_made  # noqa: PLC0415
    from jetbench.store.database.history import open_history  # noqa: PLC0415

    if not is_yet_to_be_made(address_of(db, results)):
        with open_history(db, results) as history:
            of_team = history.names()
    return dict(sorted({**of_team, **read_names(results)}.items()))


def tell_history(name: str, sweep_id: str | None, results: Path, db: str | None) -> None:
    """Where there is a history, it knows the name as well; None takes it away.

    Raises:
        StoreError: The history cannot be written to.
    """
    from jetbench.store.database.address import FILE  # noqa: PLC0415 - late, as above
    from jetbench.store.database.history import open_history  # noqa: PLC0415

    if db is None and not (results / FILE).exists():
        return
    with open_history(db, results) as history:
        history.set_name(name, sweep_id)
