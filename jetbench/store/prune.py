"""Old nights without their journals: what they came to stays, the evidence goes.

At any moment a folder is readable: first it is noted that the journals go (`pruned.json`), then
they go. Whoever is killed in between leaves a folder that the next call finishes.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.domain.errors import ResultError, StoreError
from jetbench.store.names import read_names
from jetbench.store.results import first_looks, sweeps_below
from jetbench.store.sweep_folder import SECOND_LOOK, SweepFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTE = "pruned.json"
_EVIDENCE = ("journals", "logs")


@dataclass(frozen=True, slots=True)
class Pruned:
    """A sweep that has lost its journals now."""

    folder: Path
    freed_bytes: int


def prune(results: Path, keep: int, *, dry_run: bool = False) -> Iterator[Pruned]:
    """Take the journals and raw logs of all sweeps but the newest; one after the other.

    A sweep that has no result yet, that is a baseline, or that another host follows, keeps them.
    A second look goes with the night that it belongs to.

    Args:
        results: The folder of the sweeps.
        keep: How many nights keep theirs.
        dry_run: Only say which.

    Raises:
        ResultError: The folder, or the file of the baselines, cannot be read.
        StoreError: Something cannot be deleted.
    """
    kept = {folder.name for folder in first_looks(results)[-keep:]} if keep else set()
    kept |= set(read_names(results).values())
    for folder in sweeps_below(results):
        if not (folder / "result.json").exists() or (folder / "attached.json").exists():
            continue
        if folder.name in kept or _looked_at(folder) in kept:
            continue
        there = [folder / name for name in _EVIDENCE if (folder / name).is_dir()]
        if not there:
            continue
        size = sum(
            file.lstat().st_size for each in there for file in each.rglob("*") if file.is_file()
        )
        if not dry_run:
            SweepFolder.open(folder).keep_pruned()
            for each in there:
                _delete(each)
        yield Pruned(folder, size)


def check_not_pruned(folder: Path) -> None:
    """See that a sweep still has its journals, for whoever needs them.

    Raises:
        ResultError: They are gone.
    """
    if (folder / NOTE).exists():
        raise ResultError(
            f"{folder}: its journals and raw logs were deleted by `jetbench results prune`",
            hint="its result is still there: jetbench results show",
        )


def _looked_at(folder: Path) -> str | None:
    """The sweep that this one only looked again at."""
    try:
        return (folder / SECOND_LOOK).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _delete(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise StoreError(f"{folder} cannot be deleted: {error.strerror}") from error
