"""``jetbench compare``: two sweeps, case by case, with a verdict."""

from __future__ import annotations

import os
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.cli import complete
from jetbench.cli.common import RESULTS, DatabaseOption, OutputOption, ResultsOption
from jetbench.domain.errors import UsageError

if TYPE_CHECKING:
    from jetbench.analysis.compare import Comparison
    from jetbench.domain.kept import KeptSweep


class ComparisonFormat(str, Enum):
    """How a comparison is shown."""

    TABLE = "table"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


def compare(
    sweeps: Annotated[
        list[str],
        typer.Argument(
            metavar="A B",
            autocompletion=complete.sweeps,
            help="What it was before, and what it is now.",
            show_default=False,
        ),
    ],
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=complete.baselines,
            help="In the place of A: the sweep of this name.",
        ),
    ] = None,
    results: ResultsOption = RESULTS,
    db: DatabaseOption = None,
    form: Annotated[
        ComparisonFormat,
        typer.Option("--format", help="For a person, a document or a script."),
    ] = ComparisonFormat.TABLE,
    output: OutputOption = None,
) -> None:
    """Compare two sweeps, case by case, with a verdict.

    A and B are each the id of a sweep or its beginning, `latest`, `latest~1` (the one before it),
    a day (its last sweep), a baseline's name, a sweep's folder, or a result.json (what `jetbench
    run --format json` wrote). Only what was measured in the same way is compared: same board,
    net, batch, phase, device, power mode, clocks, iterations.
    A case is slower where its mean forward time is more than 3 % longer and that is no accident
    of the few processes (Welch's test, p < 0.02). What else has changed stands beside it.

    \b
    Examples:
      jetbench compare latest~1 latest
      jetbench compare 20260102-030405-a1b2c3 latest --results nights
      jetbench compare before.json after.json --format markdown -o changes.md
      jetbench compare latest~1 latest --format json -o night.json
      jetbench compare 2026-01-02 latest
      jetbench compare latest --baseline release-2

    \b
    Exit codes:
      0 nothing is slower     2 a sweep is not there or cannot be read
      3 nothing could be compared                      4 something is slower
    """
    from jetbench.analysis.compare import compare as compare_records
    from jetbench.cli import exit_codes
    from jetbench.cli.output import check_output, write_out
    from jetbench.store.opening import named_sweep, opened

    check_output(output)
    words = _two_of(sweeps, baseline)
    before = named_sweep(baseline, results, db) if baseline else opened(words[0], results, db)
    after = opened(words[-1], results, db)
    comparison = compare_records(before.records, after.records)
    write_out(_rendered(comparison, before, after, form, colour=_wants_colour(output)), output)
    if comparison.slower:
        raise typer.Exit(exit_codes.REGRESSION)
    if not comparison.compared:
        raise typer.Exit(exit_codes.NOTHING)


def _two_of(words: list[str], baseline: str | None) -> list[str]:
    """The words for A and B; for B alone where a baseline stands for A."""
    if len(words) == (1 if baseline else 2):
        return words
    if baseline:
        raise UsageError("with --baseline there is one sweep to compare, B")
    raise UsageError(
        f"two sweeps are compared, and {len(words)} named",
        hint="jetbench compare latest~1 latest, or jetbench compare latest --baseline NAME",
    )


def _rendered(
    comparison: Comparison,
    a: KeptSweep,
    b: KeptSweep,
    form: ComparisonFormat,
    *,
    colour: bool,
) -> str:
    import json

    from jetbench.report.compare import comparison_table
    from jetbench.report.compare_data import comparison_csv, comparison_to_json

    match form:
        case ComparisonFormat.JSON:
            return json.dumps(comparison_to_json(comparison, a, b), indent=1) + "\n"
        case ComparisonFormat.CSV:
            return comparison_csv(comparison)
        case ComparisonFormat.MARKDOWN:
            return comparison_table(comparison, a, b, markdown=True)
        case ComparisonFormat.TABLE:
            return comparison_table(comparison, a, b, colour=colour)


def _wants_colour(output: Path | None) -> bool:
    return output is None and sys.stdout.isatty() and "NO_COLOR" not in os.environ
