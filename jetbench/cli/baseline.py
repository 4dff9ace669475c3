"""``jetbench baseline``: names for the sweeps that others are held against."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from jetbench.cli import complete
from jetbench.cli.common import RESULTS, DatabaseOption, ListFormat, ResultsOption

NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", autocompletion=complete.baselines, help="Such as nightly or release-2."
    ),
]


def set_baseline(
    name: NameArgument,
    sweep: Annotated[
        str,
        typer.Argument(
            metavar="SWEEP", autocompletion=complete.sweeps, help="An id, a day, latest, latest~1."
        ),
    ] = "latest",
    results: ResultsOption = RESULTS,
    db: DatabaseOption = None,
) -> None:
    """Give a sweep a name, for `run --baseline`, `compare` and all else that takes a sweep.

    A name stands for one sweep: the one that it was given to last. With --db it is known to all
    hosts of a team, too.

    \b
    Examples:
      jetbench baseline set nightly
      jetbench baseline set release-2 20260102-030405-a1b2c3
      jetbench baseline set nightly 2026-01-02 --results nights
    """
    from jetbench.formats.words import escaped
    from jetbench.store.naming import give_name

    sweep_id, before = give_name(name, sweep, results, db)
    moved = f" (it was {escaped(before)})" if before not in {None, sweep_id} else ""
    print(f"{escaped(name)} is {escaped(sweep_id)}{moved}", file=sys.stderr)


def remove_baseline(
    name: NameArgument, results: ResultsOption = RESULTS, db: DatabaseOption = None
) -> None:
    """Take a name away; the sweep stays what it is.

    \b
    Examples:
      jetbench baseline remove release-1
    """
    from jetbench.domain.errors import UsageError
    from jetbench.formats.words import escaped
    from jetbench.store.names import set_name
    from jetbench.store.naming import tell_history

    before = set_name(results, name, None)
    tell_history(name, None, results, db)
    if before is None and db is None:
        raise UsageError(f"there is no baseline {escaped(name)!r} in {results}")


def list_baselines(
    results: ResultsOption = RESULTS,
    db: DatabaseOption = None,
    form: Annotated[
        ListFormat, typer.Option("--format", help="For a person, or for a script.")
    ] = ListFormat.TABLE,
) -> None:
    """Show the names, and the sweeps that they stand for.

    With --db those of a team's history, too; what this folder says of a name comes first.

    \b
    Examples:
      jetbench baseline list
      jetbench baseline list --format json
    """
    from tabulate import tabulate

    from jetbench.formats.words import printable
    from jetbench.store.naming import known_names

    names = known_names(results, db)
    if form is ListFormat.JSON:
        typer.echo(json.dumps({"schema": 1, "names": names}, indent=1))
        return
    if not names:
        print("There is none yet: jetbench baseline set NAME [SWEEP]", file=sys.stderr)
        return
    rows = [(printable(name, 64), printable(sweep, 64)) for name, sweep in names.items()]
    typer.echo(tabulate(rows, headers=("Baseline", "Sweep"), disable_numparse=True))
