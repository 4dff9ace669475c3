"""``jetbench results list``: the sweeps that there are."""

from __future__ import annotations

import sys
from enum import Enum
from typing import Annotated

import typer

from jetbench.cli.common import RESULTS, BoardOption, DatabaseOption, OutputOption, ResultsOption
from jetbench.cli.wanted import ModelOption, RealOption, SinceOption, StatusOption, UntilOption


class SweepsFormat(str, Enum):
    """How a list of sweeps is shown."""

    TABLE = "table"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


def list_sweeps(
    board: BoardOption = None,
    model: ModelOption = None,
    status: StatusOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    real: RealOption = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, help="The newest so many.")
    ] = 20,
    results: ResultsOption = RESULTS,
    db: DatabaseOption = None,
    form: Annotated[
        SweepsFormat, typer.Option("--format", help="For a person, a document or a script.")
    ] = SweepsFormat.TABLE,
    output: OutputOption = None,
) -> None:
    """Show the sweeps that there are, the newest first.

    With filters: the sweeps that have such cases, and how many of those are ok, suspect, failed,
    lost. Second looks of the gate are left out.

    \b
    Examples:
      jetbench results list
      jetbench results list --board @lab-a --model resnet50 --since 2026-01-01
      jetbench results list --status failed --status lost -n 100
      jetbench results list --real --format json
    """
    import json

    from jetbench.cli.output import check_output, write_out
    from jetbench.cli.sweeps import the_history
    from jetbench.formats.wanted import wanted_of
    from jetbench.report.sweeps import line_to_json, sweeps_csv, sweeps_table

    check_output(output)
    wanted = wanted_of(board, model, since=since, until=until, statuses=status, real=real)
    with the_history(db, results) as history:
        lines = history.sweeps(wanted, limit=limit + 1)
    shown = lines[:limit]
    match form:
        case SweepsFormat.JSON:
            text = (
                json.dumps({"schema": 1, "sweeps": [*map(line_to_json, shown)]}, indent=1) + "\n"
            )
        case SweepsFormat.JSONL:
            text = "".join(json.dumps(line_to_json(line)) + "\n" for line in shown)
        case SweepsFormat.CSV:
            text = sweeps_csv(shown)
        case _:
            text = sweeps_table(shown, markdown=form is SweepsFormat.MARKDOWN) if shown else ""
    write_out(text, output)
    if not lines:
        print("There is no such sweep.", file=sys.stderr)
    elif len(lines) > limit:
        print(f"These are the newest {limit}; -n shows more.", file=sys.stderr)
