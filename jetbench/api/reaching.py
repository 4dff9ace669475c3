"""Boards, real ones and virtual ones, and how they are reached."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.api.several import several
from jetbench.bench import inventories
from jetbench.bench.secrets import Secrets
from jetbench.domain.board import Inventory
from jetbench.formats.inventory import parse_inventory, select_boards
from jetbench.remote.connection import Connector
from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.bench.secrets import Ask
    from jetbench.domain.board import Board


def load_inventory(path: Path | str | None = None) -> Inventory:
    """The boards of an inventory.

    Args:
        path: The file; None: ``$JETBENCH_INVENTORY``, ``inventory.yaml`` here, or the one of
            your configuration folder.

    Raises:
        InventoryError: There is none, or it cannot be used; the message names file and line.
    """
    return inventories.load_inventory(None if path is None else Path(path))


@contextmanager
def virtual_boards(count: int = 3, *, real_time: bool = False) -> Iterator[Inventory]:
    """Boards without hardware, as long as the block runs; their times are simulated.

    Args:
        count: How many.
        real_time: Whether they take the time that a board takes.

    Yields:
        An inventory of them, for `run` and all else that takes one.

    Raises:
        UsageError: There are no ports for so many boards.
    """
    options = BoardOptions(time_scale=1.0) if real_time else BoardOptions()
    with (
        tempfile.TemporaryDirectory(prefix="jetbench-virtual-") as folder,
        VirtualFleet(count, Path(folder), options) as fleet,
    ):
        yield parse_inventory(fleet.inventory_text(), "virtual boards")


def boards_of(
    inventory: Inventory | Path | str | None, names: str | Sequence[str]
) -> tuple[Board, ...]:
    """The boards that are meant: by their names, or ``@TAG``; of no names all of them.

    Raises:
        UsageError: The inventory or a name is wrong.
    """
    known = inventory if isinstance(inventory, Inventory) else load_inventory(inventory)
    return select_boards(known, several(names))


def modes_of(modes: int | str | Sequence[int | str]) -> tuple[str, ...]:
    """Power modes by number or name, as the options of a sweep have them."""
    return tuple(map(str, several(modes)))


def secrets_of(ask: Ask | None) -> Secrets:
    """Where passwords and passphrases come from; an empty answer is none."""
    return Secrets() if ask is None else Secrets(lambda question: ask(question) or None)


def connector(ask: Ask | None) -> Connector:
    """What reaches boards, and is to be closed."""
    return Connector(ssh_config=None, ask_passphrase=secrets_of(ask).passphrase)
