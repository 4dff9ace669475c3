"""``jetbench boards unlock``: break the lock of a sweep that is dead."""

from __future__ import annotations

from typing import Annotated

import typer

from jetbench.cli import complete, exit_codes
from jetbench.cli.common import BoardOption, InventoryOption


def unlock(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME|@TAG]...", autocompletion=complete.boards, help="Only these boards."
        ),
    ] = None,
    inventory: InventoryOption = None,
    board: BoardOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="End a sweep that is alive, too.")
    ] = False,
) -> None:
    """Break the lock of a sweep that is dead.

    A board's lock is held by the processes that measure there, so it is free once they are gone,
    also after a crash. This is for what never goes: a caffe that hangs in the driver, a guard
    that waits for a tool. What is left of the sweep is ended, and power mode, clocks and fan are
    put back. A sweep that is alive is left alone: that is ended with `jetbench stop`.

    \b
    Examples:
      jetbench boards unlock tx2-01
      jetbench boards unlock tx2-01 --force

    \b
    Exit codes:
      0 every board is free     1 some are not     3 none is
    """
    from jetbench.bench.inventories import load_boards
    from jetbench.bench.unlocking import unlock as break_locks
    from jetbench.cli.secrets import Secrets
    from jetbench.formats.words import printable
    from jetbench.remote.connection import Connector

    boards = load_boards(inventory, [*(names or []), *(board or [])])
    secrets = Secrets()
    with Connector(ssh_config=None, ask_passphrase=secrets.passphrase) as connector:
        done = break_locks(boards, connector.connect, secrets.sudo_password, force=force)
    for one in done:
        if one.error is not None:
            typer.echo(f"{one.board.name}: {printable(one.error.message)}")
            if one.error.hint:
                typer.echo(f"  → {printable(one.error.hint)}")
        else:
            typer.echo(f"{one.board.name}: {'unlocked' if one.broken else 'was not locked'}")
    failed = sum(one.error is not None for one in done)
    if failed:
        raise typer.Exit(exit_codes.NOTHING if failed == len(done) else exit_codes.FAILED)
