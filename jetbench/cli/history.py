"""``jetbench history``: cases over the nights, and the steps in them."""

from __future__ import annotations

import os
import sys
from enum import Enum
from typing import Annotated

import typer

from jetbench.cli import complete, exit_codes
from jetbench.cli.common import RESULTS, BoardOption, DatabaseOption, OutputOption, ResultsOption
from jetbench.cli.wanted import RealOption, SinceOption, UntilOption


class HistoryFormat(str, Enum):
    """How a history is shown."""

    TABLE = "table"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


def history(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL]...", autocompletion=complete.zoo, help="Only these; default all."
        ),
    ] = None,
    board: BoardOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    real: RealOption = None,
    results: ResultsOption = RESULTS,
    db: DatabaseOption = None,
    form: Annotated[
        HistoryFormat, typer.Option("--format", help="For a person, a document or a script.")
    ] = HistoryFormat.TABLE,
    output: OutputOption = None,
) -> None:
    """Show cases over the nights, and the steps in them.

    A case is everything that must be equal for two times to be compared; each has its series: a
    sparkline, and where the times became others for three nights or more, by 3 % or more, the
    date, the size, and what else changed at that moment. A slow drift is told from a step; nights
    that stand alone and nights without a number are named.

    \b
    Examples:
      jetbench history
      jetbench history resnet50 --board tx2-03
      jetbench history vgg16 --since 2026-01-01 --format markdown -o vgg16.md
      jetbench history --db postgresql://lab@db.example/jetbench --format json

    \b
    Exit codes:
      0 shown     1 the history cannot be read     3 there is nothing to show
    """
    import json

    from jetbench.analysis.series import told_of, with_gaps
    from jetbench.cli.output import check_output, write_out
    from jetbench.cli.sweeps import the_history
    from jetbench.formats.wanted import wanted_of
    from jetbench.report.history import (
        ASCII_BARS,
        BARS,
        history_csv,
        history_text,
        history_to_json,
    )

    check_output(output)
    wanted = wanted_of(board, models, since=since, until=until, real=real)
    with the_history(db, results) as opened:
        told = [told_of(series, opened.whole) for series in with_gaps(opened.series(wanted))]
    if not told:
        print(
            "Nothing of that is in the history; `jetbench results list` shows what is.",
            file=sys.stderr,
        )
        raise typer.Exit(exit_codes.NOTHING)
    on_terminal = output is None and sys.stdout.isatty()
    match form:
        case HistoryFormat.JSON:
            text = json.dumps(history_to_json(told), indent=1) + "\n"
        case HistoryFormat.CSV:
            text = history_csv(told)
        case HistoryFormat.MARKDOWN:
            text = history_text(told, markdown=True)
        case _:
            unicode = output is not None or _can_write(BARS)
            text = history_text(
                told,
                colour=on_terminal and "NO_COLOR" not in os.environ,
                bars=BARS if unicode else ASCII_BARS,
            )
    write_out(text, output)


def _can_write(letters: str) -> bool:
    try:
        letters.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
