"""``jetbench stop``: end a sweep on its boards, and put them back."""

from __future__ import annotations

from typing import Annotated

import typer

from jetbench.cli import complete, exit_codes
from jetbench.cli.common import RESULTS, BoardOption, InventoryOption, ResultsOption


def stop(
    sweep: Annotated[
        str,
        typer.Argument(
            metavar="SWEEP", autocompletion=complete.sweeps, help="Its id, latest or latest~1."
        ),
    ],
    inventory: InventoryOption = None,
    board: BoardOption = None,
    results: ResultsOption = RESULTS,
) -> None:
    """End a sweep wherever it runs: the trials that run are ended, the boards put back.

    What was measured stays on the boards until it is fetched with `jetbench attach`; the rest
    can be measured later with `jetbench run --resume`. Returns when every board is as it was
    before the sweep.

    \b
    Examples:
      jetbench stop latest
      jetbench stop 20260102-030405-a1b2c3 --board tx2-01

    \b
    Exit codes:
      0 it runs nowhere any more     1 some boards did not answer     3 no board knows it
    """
    from jetbench.bench.inventories import load_boards
    from jetbench.bench.running import stop_on
    from jetbench.cli.secrets import Secrets
    from jetbench.cli.take_up import sweep_id_of
    from jetbench.formats.words import printable
    from jetbench.remote.connection import Connector

    sweep_id = sweep_id_of(sweep, results)
    boards = load_boards(inventory, board or [])
    with Connector(ssh_config=None, ask_passphrase=Secrets().passphrase) as connector:
        done = stop_on(sweep_id, boards, connector.connect)
    for one in done:
        name = one.board.name
        if one.error is not None:
            typer.echo(f"{name}: {printable(one.error.message)}")
            if one.error.hint:
                typer.echo(f"  → {printable(one.error.hint)}")
        elif one.left_behind:
            typer.echo(f"{name}: ended, but its power state was left behind")
            typer.echo(f"  → jetbench boards restore {name}")
        elif one.found:
            typer.echo(f"{name}: {'ended, and put back' if one.ran else 'had ended already'}")
        else:
            typer.echo(f"{name}: knows nothing of it")
    if any(one.found for one in done):
        typer.echo(f"What was measured is on the boards: jetbench attach {sweep_id}", err=True)
    failed = any(one.error or one.left_behind for one in done)
    if failed or not any(one.found for one in done):
        found = any(one.found for one in done)
        raise typer.Exit(exit_codes.FAILED if found else exit_codes.NOTHING)
