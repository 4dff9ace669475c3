"""``jetbench results reindex``: the history again, from the folders of the sweeps."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Annotated

import typer

from jetbench.cli import exit_codes
from jetbench.cli.common import RESULTS, DatabaseOption, ResultsOption


def reindex(
    results: ResultsOption = RESULTS,
    db: DatabaseOption = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only what went wrong.")] = False,
) -> None:
    """Bring every sweep's folder into the history: what was missed, or all of it again.

    The folders are the first truth; the history is made from them. What is in already stays,
    what has changed since is taken anew, and sweeps of other hosts are left alone. A history that
    is damaged can be deleted, and is made again by this.

    \b
    Examples:
      jetbench results reindex
      jetbench results reindex --results nights
      jetbench results reindex --db postgresql://lab@db.example/jetbench

    \b
    Exit codes:
      0 all is in      1 some folders cannot be read, or the database fails
      2 there is no such folder, or a wrong URL
    """
    from rich.console import Console
    from rich.progress import track

    from jetbench.formats.words import escaped
    from jetbench.store.database.folders import reindex as bring_all_in
    from jetbench.store.database.history import open_history
    from jetbench.store.results import sweeps_below

    count = len(sweeps_below(results))
    told: Counter[str] = Counter()
    with open_history(db, results, create=True) as history:
        for one in track(
            bring_all_in(history, results),
            "Reading the folders",
            total=count,
            console=(console := Console(stderr=True)),
            transient=True,
            disable=quiet or not console.is_terminal,
        ):
            told[one.what] += 1
            if one.error is not None:
                print(f"error: {escaped(one.error.message)}", file=sys.stderr)
            elif one.what == "unfinished":
                print(f"note: {escaped(str(one.folder))}: not finished yet", file=sys.stderr)
    if not quiet:
        print(
            f"{told['new']} new, {told['known']} known already, {told['unfinished']} unfinished, "
            f"{told['refused']} refused",
            file=sys.stderr,
        )
    if told["refused"]:
        raise typer.Exit(exit_codes.FAILED)
