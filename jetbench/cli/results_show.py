"""``jetbench results show``: a sweep as `run` showed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from jetbench.cli import complete
from jetbench.cli.common import RESULTS, DatabaseOption, OutputOption, ResultsOption
from jetbench.cli.output import ResultFormat
from jetbench.cli.wanted import ModelOption, StatusOption

if TYPE_CHECKING:
    from collections.abc import Collection


def show_sweep(
    sweep: Annotated[
        str,
        typer.Argument(
            metavar="SWEEP",
            autocompletion=complete.sweeps,
            help="An id, a day, latest, a name, a folder, a file.",
        ),
    ] = "latest",
    board: Annotated[
        list[str] | None,
        typer.Option(
            "--board",
            "-b",
            metavar="NAME",
            autocompletion=complete.boards,
            help="Only this one.",
            show_default="all",
        ),
    ] = None,
    model: ModelOption = None,
    status: StatusOption = None,
    results: ResultsOption = RESULTS,
    db: DatabaseOption = None,
    form: Annotated[
        ResultFormat, typer.Option("--format", help="Of the result.")
    ] = ResultFormat.TABLE,
    output: OutputOption = None,
) -> None:
    """Show a sweep as `run` showed it, whole or in part, and what the gate said of it.

    \b
    Examples:
      jetbench results show
      jetbench results show 2026-01-02 --board tx2-01 --status suspect
      jetbench results show nightly --format json
      jetbench results show latest --format junit -o jetbench.xml

    \b
    Exit codes:
      0 shown     2 there is no such sweep, or it cannot be read
    """
    from jetbench.cli.gate import read_gate
    from jetbench.cli.output import check_output, render_kept, write_result
    from jetbench.formats.json_node import JsonNode
    from jetbench.formats.result_read import sweep_of
    from jetbench.formats.wanted import wanted_of
    from jetbench.store.opening import opened_node

    check_output(output)
    wanted = wanted_of(None, model, statuses=status)
    node = opened_node(sweep, results, db)
    document = node.object()
    # Read whole, so that what is damaged is seen whatever was asked for.
    kept = sweep_of(node)
    if board or wanted.models or wanted.statuses:
        records = [
            record.value
            for record in node["records"].items()
            if _fits(record.object(), "board", board or ())
            and _fits(record.object(), "model", wanted.models)
            and _fits(record.object(), "status", wanted.statuses)
        ]
        document = {**document, "records": records}
        kept = sweep_of(JsonNode(document, node.source))
    gate = read_gate(results / kept.id)
    write_result(render_kept(kept, document, form, gate), form, output)


def _fits(record: dict[str, Any], key: str, wanted: Collection[str]) -> bool:
    return not wanted or record.get(key) in wanted
