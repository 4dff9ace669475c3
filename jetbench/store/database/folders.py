"""The history from the folders of the sweeps: they are the first truth, it follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jetbench.domain.errors import JetbenchError, ResultError
from jetbench.formats.kept_plan import parse_tags
from jetbench.store.names import names_of
from jetbench.store.results import result_text, sweeps_below

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from jetbench.store.database.history import History

_MAX_PLAN_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Indexed:
    """What came of one folder."""

    folder: Path
    what: Literal["new", "known", "unfinished", "refused"]
    error: JetbenchError | None = None
    """Why it was refused."""


def add_folder(history: History, folder: Path, *, replace: bool = True) -> bool:
    """Bring a sweep's folder into the history; whether anything was new.

    Raises:
        ResultError: There is no result in it, or it cannot be read.
        StoreError: The database does not take it.
    """
    text, source = result_text(folder)
    names = names_of(folder.parent, folder.name)
    return history.add(text, source, tags=_tags(folder), names=names, replace=replace)


def reindex(history: History, results: Path) -> Iterator[Indexed]:
    """Bring in every folder below `results`, one after the other; what came of each.

    One that cannot be read does not keep the others out.

    Raises:
        ResultError: `results` cannot be read.
        StoreError: The database fails: there is no sense in trying the others.
    """
    for folder in sweeps_below(results):
        if not (folder / "result.json").exists():
            yield Indexed(folder, "unfinished")
            continue
        try:
            yield Indexed(folder, "new" if add_folder(history, folder) else "known")
        except ResultError as error:
            yield Indexed(folder, "refused", error)


def _tags(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Those of the boards, where the plan is here; a colleague may have sent the result alone."""
    plan = folder / "plan.json"
    try:
        with plan.open("rb") as file:
            text = file.read(_MAX_PLAN_BYTES).decode()
    except FileNotFoundError:
        return {}
    except NotADirectoryError:
        # The result is a file by itself.
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ResultError(f"{plan}: cannot be read: {error}") from error
    return parse_tags(text, str(plan))
