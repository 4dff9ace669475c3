"""``jetbench boards list``: the inventory, as it is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.bench.inventories import load_boards
from jetbench.cli.common import BoardOption, InventoryOption, ListFormat

if TYPE_CHECKING:
    from jetbench.domain.board import Board


def boards_list(
    inventory: InventoryOption = None,
    board: BoardOption = None,
    list_format: Annotated[
        ListFormat, typer.Option("--format", help="For a person, or for a script.")
    ] = ListFormat.TABLE,
) -> None:
    """Show the boards of the inventory, with the defaults filled in.

    Nothing is connected to, and what the inventory leaves to ssh_config is left out:
    `jetbench boards check` connects and says what it found.

    \b
    Examples:
      jetbench boards list
      jetbench boards list -b @lab-a --format json
    """
    boards = load_boards(inventory, board or ())
    if list_format is ListFormat.JSON:
        import json

        typer.echo(json.dumps([_as_json(one) for one in boards], indent=2))
    else:
        typer.echo(_as_table(boards))


def address(board: Board) -> str:
    """``[user@]host[:port][ via JUMP]``, of what the inventory says."""
    user = f"{board.user}@" if board.user else ""
    host = f"[{board.host}]" if ":" in board.host and board.port else board.host
    port = f":{board.port}" if board.port else ""
    jump = f" via {board.jump}" if board.jump and board.jump != "none" else ""
    return f"{user}{host}{port}{jump}"


def _as_json(board: Board) -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(board), "tags": list(board.tags), "env": dict(board.env)}


def _as_table(boards: tuple[Board, ...]) -> str:
    from tabulate import tabulate

    rows = [
        (
            board.name,
            address(board),
            "0" if board.gpu is None else str(board.gpu),
            board.caffe or board.caffe_root or "",
            ", ".join(board.tags),
        )
        for board in boards
    ]
    headers = ("Board", "Address", "GPU", "Caffe", "Tags")
    return tabulate(rows, headers=headers, disable_numparse=True)
