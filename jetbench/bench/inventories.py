"""The inventory that is meant, read from where it is."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.domain.errors import InventoryError
from jetbench.formats.words import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.board import Board, Inventory

MAX_INVENTORY_BYTES = 4_000_000


def load_boards(inventory: Path | None, select: Sequence[str]) -> tuple[Board, ...]:
    """The boards that a command is about.

    Args:
        inventory: The value of ``--inventory``.
        select: The values of ``--board``; none means all boards.

    Raises:
        InventoryError: Where there is no inventory, or one that cannot be used.
        UsageError: Where a name or a tag belongs to no board.
    """
    # Late, as below: completion only reads the text, and must be fast.
    from jetbench.formats.inventory import select_boards  # noqa: PLC0415

    return select_boards(load_inventory(inventory), select)


def load_inventory(inventory: Path | None) -> Inventory:
    """The inventory that was named, or the first one in the usual places.

    Raises:
        InventoryError: Where there is none, or one that cannot be used.
    """
    from jetbench.formats.inventory import parse_inventory  # noqa: PLC0415

    path = inventory or usual_inventory()
    return parse_inventory(read_inventory(path), escaped(str(path)))


def usual_inventory() -> Path:
    """Where the inventory is that nobody has named.

    Raises:
        InventoryError: There is none in the usual places.
    """
    named = os.environ.get("JETBENCH_INVENTORY")
    if named:
        return Path(os.path.expanduser(named))  # noqa: PTH111 - pathlib's raises
    places = (Path("inventory.yaml"), configuration_folder() / "inventory.yaml")
    for place in places:
        if place.exists():
            return place
    raise InventoryError(
        f"no inventory: neither ./{places[0]} nor {places[1]} is there",
        hint="write one with `jetbench init`, or name one with --inventory FILE",
    )


def read_inventory(path: Path) -> str:
    """The text of an inventory.

    Raises:
        InventoryError: It cannot be read, or is none by its size.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_INVENTORY_BYTES + 1)
    except FileNotFoundError:
        raise InventoryError(
            f"{path}: there is no such file",
            hint=f"write one with `jetbench init -i {path}`",
        ) from None
    except OSError as error:
        raise InventoryError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_INVENTORY_BYTES:
        raise InventoryError(f"{path}: over {MAX_INVENTORY_BYTES} bytes; is it an inventory?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InventoryError(f"{path}:{line}: not UTF-8; is this a text file?") from error


def configuration_folder() -> Path:
    """Where this user's settings of jetbench are, as the system has it."""
    if sys.platform == "darwin":
        return Path("~/Library/Application Support/jetbench").expanduser()
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "jetbench"
