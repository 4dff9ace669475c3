"""``jetbench boards restore``: put back power state that was left behind."""

from __future__ import annotations

from typing import Annotated

import typer

from jetbench.cli import complete, exit_codes
from jetbench.cli.common import BoardOption, InventoryOption


def restore(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME|@TAG]...", autocompletion=complete.boards, help="Only these boards."
        ),
    ] = None,
    inventory: InventoryOption = None,
    board: BoardOption = None,
) -> None:
    """Put back power mode, clocks and fan where a sweep could not do it.

    Every sweep puts back what it has changed by itself, also when it is killed or its host is
    lost. Where the board went down in the middle, the next `jetbench run` does it, or this. A
    board where nothing was left behind is not touched.

    \b
    Examples:
      jetbench boards restore
      jetbench boards restore tx2-01 @lab-a

    \b
    Exit codes:
      0 everything is as it was     1 not on some boards     3 on none
    """
    from jetbench.bench.inventories import load_boards
    from jetbench.bench.restoring import restore as put_back
    from jetbench.cli.secrets import Secrets
    from jetbench.formats.words import printable
    from jetbench.remote.connection import Connector

    boards = load_boards(inventory, [*(names or []), *(board or [])])
    secrets = Secrets()
    with Connector(ssh_config=None, ask_passphrase=secrets.passphrase) as connector:
        done = put_back(boards, connector.connect, secrets.sudo_password)
    for one in done:
        mode = printable(one.mode.name or f"mode {one.mode.id}") if one.mode else "its own mode"
        if one.error is not None:
            typer.echo(f"{one.board.name}: {printable(one.error.message)}")
            if one.error.hint:
                typer.echo(f"  → {printable(one.error.hint)}")
        elif one.needed:
            typer.echo(f"{one.board.name}: put back, {mode}")
        else:
            typer.echo(f"{one.board.name}: nothing was left behind, {mode}")
    failed = sum(one.error is not None for one in done)
    if failed:
        raise typer.Exit(exit_codes.NOTHING if failed == len(done) else exit_codes.FAILED)
