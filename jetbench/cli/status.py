"""``jetbench status``: what runs on the boards, for whom, since when, and how far it is."""

from __future__ import annotations

from typing import Annotated

import typer

from jetbench.cli import complete, exit_codes
from jetbench.cli.common import RESULTS, BoardOption, InventoryOption, ListFormat, ResultsOption


def status(
    sweep: Annotated[
        str | None,
        typer.Argument(
            metavar="[SWEEP]",
            autocompletion=complete.sweeps,
            help="Only this one: its id, latest or latest~1.",
        ),
    ] = None,
    inventory: InventoryOption = None,
    board: BoardOption = None,
    results: ResultsOption = RESULTS,
    list_format: Annotated[
        ListFormat, typer.Option("--format", help="For a person, or for a script.")
    ] = ListFormat.TABLE,
) -> None:
    """Show what runs on the boards: which sweep, for whom, since when, how far it is.

    Also sweeps that have ended on a board and whose journal nobody has fetched yet, and power
    states that were left behind. What runs is not disturbed.

    \b
    Examples:
      jetbench status
      jetbench status latest --board @lab-a
      jetbench status --format json

    \b
    Exit codes:
      0 every board has answered     1 some have not     3 none has
    """
    from jetbench.bench.inventories import load_boards
    from jetbench.bench.running import look_at
    from jetbench.cli.secrets import Secrets
    from jetbench.cli.take_up import sweep_id_of
    from jetbench.remote.connection import Connector
    from jetbench.report.status import status_json, status_text

    sweep_id = None if sweep is None else sweep_id_of(sweep, results)
    boards = load_boards(inventory, board or [])
    with Connector(ssh_config=None, ask_passphrase=Secrets().passphrase) as connector:
        looked = look_at(boards, connector.connect)
    shown = status_json if list_format is ListFormat.JSON else status_text
    typer.echo(shown(looked, sweep_id))
    silent = sum(one.error is not None for one in looked)
    if silent:
        raise typer.Exit(exit_codes.NOTHING if silent == len(looked) else exit_codes.FAILED)
