"""``jetbench attach``: follow a sweep that runs by itself, or that somebody else has started."""

from __future__ import annotations

from typing import Annotated

import typer

from jetbench.cli import complete
from jetbench.cli.common import (
    RESULTS,
    DatabaseOption,
    InventoryOption,
    OutputOption,
    ResultsOption,
)
from jetbench.cli.output import ResultFormat


def attach(
    sweep: Annotated[
        str,
        typer.Argument(
            metavar="SWEEP",
            autocompletion=complete.sweeps,
            help="Its id, its folder, latest or latest~1.",
        ),
    ],
    inventory: InventoryOption = None,
    results: ResultsOption = RESULTS,
    db: DatabaseOption = None,
    result_format: Annotated[
        ResultFormat, typer.Option("--format", help="Of the result.")
    ] = ResultFormat.TABLE,
    output: OutputOption = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="A line for each event, also on a terminal.")
    ] = False,
) -> None:
    """Follow a sweep that runs by itself, fetch what it has measured, and show the result.

    Where the sweep was not started here, the boards of the inventory are asked for it, and what
    they say is kept here, too; on the boards it stays for the host that has started it. Ctrl-C
    leaves, and ends nothing: that is `jetbench stop`.

    \b
    Examples:
      jetbench run vgg16 resnet50 --detach
      jetbench attach latest
      jetbench attach 20260102-030405-a1b2c3 -i lab.yaml --format json

    \b
    Exit codes:
      0 all was measured      1 some cases failed or were lost
      2 no such sweep         3 nothing was measured       130 left before its end
    """
    from jetbench.bench.carrying_out import result_of
    from jetbench.bench.errand import Errand
    from jetbench.bench.recorder import Recorder
    from jetbench.bench.resuming import known_of
    from jetbench.cli.measure import carry_out, exit_code
    from jetbench.cli.output import check_output, show_result
    from jetbench.cli.remember import check_database, remember
    from jetbench.cli.take_up import begun

    check_output(output)
    check_database(db, results)
    folder, plan = begun(sweep, results, inventory)
    errand = Errand(known=known_of(folder, plan), measure=False, forget=not folder.attached)
    recorder = Recorder(plan, folder)
    carry_out(plan, recorder, errand, quiet=quiet, verbose=verbose)
    result = result_of(plan, recorder, interrupted=False)
    remember(folder.path, db)
    show_result(result, result_format, output, folder.path, quiet=quiet)
    raise typer.Exit(exit_code(result))
