"""``jetbench results import``: sweeps that were measured elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.cli import exit_codes
from jetbench.cli.common import RESULTS, DatabaseOption, ResultsOption
from jetbench.domain.errors import ResultError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.store.bring_in import BroughtIn


def import_sweeps(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Folders, archives or result.json.")
    ],
    results: ResultsOption = RESULTS,
    db: DatabaseOption = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only what went wrong.")] = False,
) -> None:
    """Bring in sweeps that were measured elsewhere, or while the database was away.

    Each PATH is a sweep's folder, a folder of sweeps, an archive of either (.tar, .tar.gz, .zip,
    such as `jetbench results export --archive` makes), or a result.json. Each sweep is copied
    into the folder of the sweeps here, and goes into the history; one that is there already is
    brought into the history only. A sweep with the id of another one is refused: what is here
    stays.

    \b
    Examples:
      jetbench results import night.tar.gz
      jetbench results import /mnt/lab-b/jetbench-results
      jetbench results import jetbench-results/20260102-030405-a1b2c3 --db postgresql://lab@db/lab

    \b
    Exit codes:
      0 all is in     1 some could not be brought in     2 nothing there, or a wrong URL
    """
    from jetbench.cli.main import complain
    from jetbench.cli.remember import check_database
    from jetbench.formats.words import escaped
    from jetbench.store.database.folders import add_folder
    from jetbench.store.database.history import open_history

    check_database(db, results)
    count = refused = 0
    for sweep in _each(paths, results):
        try:
            if sweep.error is not None:
                raise sweep.error
            with open_history(db, results, create=True) as history:
                new = add_folder(history, sweep.folder) or sweep.new
        except ResultError as error:
            complain(error)
            refused += 1
            continue
        count += 1
        if not quiet:
            said = "brought in" if new else "known already"
            print(f"{escaped(sweep.folder.name)}: {said}", file=sys.stderr)
    if refused:
        raise typer.Exit(exit_codes.FAILED if count else exit_codes.USAGE)


def _each(paths: Sequence[Path], results: Path) -> Iterator[BroughtIn]:
    """What is in all of them; a path with nothing in it is told as a sweep that was refused."""
    from jetbench.store.bring_in import BroughtIn, bring_in

    for path in paths:
        try:
            yield from bring_in(path, results)
        except ResultError as error:  # noqa: PERF203 - the others are no worse for it
            yield BroughtIn(path, error=error)
