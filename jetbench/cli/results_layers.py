"""``jetbench results layers``: the profile of a case, or of two side by side."""

from __future__ import annotations

import sys
from enum import Enum
from typing import Annotated

import typer

from jetbench.cli import complete, exit_codes
from jetbench.cli.case import OneBatchOption, OneBoardOption, OneModelOption, OneModeOption
from jetbench.cli.common import RESULTS, DatabaseOption, OutputOption, ResultsOption
from jetbench.domain.errors import UsageError


class LayersFormat(str, Enum):
    """How a profile is shown."""

    TABLE = "table"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


class LayersOrder(str, Enum):
    """In which order layers are shown."""

    NET = "net"
    TIME = "time"
    DIFFERENCE = "difference"


def show_layers(
    sweeps: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SWEEP] [SWEEP]",
            autocompletion=complete.sweeps,
            help="One, or two to hold side by side.",
        ),
    ] = None,
    board: OneBoardOption = None,
    model: OneModelOption = None,
    batch: OneBatchOption = None,
    power_mode: OneModeOption = None,
    sort: Annotated[
        LayersOrder | None,
        typer.Option(help="Default: the net's order; of two sweeps, by the difference."),
    ] = None,
    top: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only the first so many.")
    ] = None,
    results: ResultsOption = RESULTS,
    db: DatabaseOption = None,
    form: Annotated[
        LayersFormat, typer.Option("--format", help="For a person, a document or a script.")
    ] = LayersFormat.TABLE,
    output: OutputOption = None,
) -> None:
    """Show the profile of a case, layer by layer, or of two sweeps side by side.

    Times are means over the processes. Layers are matched by their name; what only one sweep has
    stands at the end. The sum of the layers is a little less than the whole: Caffe's timer runs
    between them.

    \b
    Examples:
      jetbench results layers latest --model vgg16 --board tx2-01 --sort time --top 10
      jetbench results layers nightly latest --model vgg16 --board tx2-01
      jetbench results layers latest -m resnet50 -b tx2-01 --format csv -o resnet50.csv

    \b
    Exit codes:
      0 shown     1 the case has no layers     2 no such sweep, or not one case is meant
    """
    import json

    from jetbench.analysis.chosen import WantedCase
    from jetbench.cli.case import the_record
    from jetbench.cli.output import check_output, write_out
    from jetbench.report.layers import layers_csv, layers_table, layers_to_json, profile
    from jetbench.store.opening import opened

    check_output(output)
    words = sweeps or ["latest"]
    if len(words) > len(("a", "b")):
        raise UsageError(f"one sweep or two are shown, and {len(words)} named")
    wanted = WantedCase(board, model, batch, power_mode)
    found = [the_record(opened(word, results, db).records, wanted, word) for word in words]
    a, b = found[0], found[1] if len(found) > 1 else None
    if not a.layers:
        print(f"This case has no times of layers: it is {a.status}.", file=sys.stderr)
        raise typer.Exit(exit_codes.FAILED)
    order = sort or (LayersOrder.NET if b is None else LayersOrder.DIFFERENCE)
    lines = profile(a, b, order.value, top)
    match form:
        case LayersFormat.JSON:
            text = json.dumps(layers_to_json(a, b, lines), indent=1) + "\n"
        case LayersFormat.CSV:
            text = layers_csv(a, b, lines)
        case _:
            text = layers_table(a, b, lines, markdown=form is LayersFormat.MARKDOWN)
    write_out(text, output)
