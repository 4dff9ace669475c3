"""What several commands share: options that mean the same everywhere, and the inventory."""

from __future__ import annotations

import os
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.cli import complete
from jetbench.domain.errors import InventoryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.bench.models import ResolvedModel
    from jetbench.domain.board import Board, Inventory
    from jetbench.nets.batch import Patched

MAX_INVENTORY_BYTES = 4_000_000

InventoryOption = Annotated[
    Path | None,
    typer.Option(
        "--inventory",
        "-i",
        metavar="FILE",
        help="The boards; else $JETBENCH_INVENTORY, ./inventory.yaml, "
        "or inventory.yaml in your configuration folder.",
        show_default=False,
    ),
]

BoardOption = Annotated[
    list[str] | None,
    typer.Option(
        "--board",
        "-b",
        metavar="NAME|@TAG",
        autocompletion=complete.boards,
        help="Only this board, or the boards with this tag; repeatable.",
        show_default="all",
    ),
]

ResultsOption = Annotated[
    Path,
    typer.Option(
        "--results", metavar="DIR", envvar="JETBENCH_RESULTS", help="Where sweeps are kept."
    ),
]
RESULTS = Path("jetbench-results")
"""Where sweeps are kept, unless somebody says otherwise."""

OutputOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Instead of stdout.", show_default=False),
]

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="URL",
        envvar="JETBENCH_DB",
        help="The history: postgresql://USER@HOST/NAME, or a file of SQLite; else history.sqlite "
        "beside the sweeps. The password is in $PGPASSWORD or ~/.pgpass.",
        show_default=False,
    ),
]


class ListFormat(str, Enum):
    """How a list is shown: to a person, or to a script."""

    TABLE = "table"
    JSON = "json"


def load_boards(inventory: Path | None, select: Sequence[str]) -> tuple[Board, ...]:
    """The boards that a command is about.

    Args:
        inventory: The value of ``--inventory``.
        select: The values of ``--board``; none means all boards.

    Raises:
        InventoryError: Where there is no inventory, or one that cannot be used.
        UsageError: Where a name or a tag belongs to no board.
    """
    from jetbench.formats.inventory import select_boards

    return select_boards(load_inventory(inventory), select)


def load_inventory(inventory: Path | None) -> Inventory:
    """The inventory that was named, or the first one in the usual places.

    Raises:
        InventoryError: Where there is none, or one that cannot be used.
    """
    from jetbench.formats.inventory import parse_inventory
    from jetbench.formats.words import escaped

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
    places = (Path("inventory.yaml"), Path(typer.get_app_dir("jetbench"), "inventory.yaml"))
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


def patched_text(
    model: ResolvedModel,
    batch: int | None,
    shape: Sequence[str] | None,
    phase: str,
    stage: Sequence[str] | None,
    *,
    data_layers: bool,
) -> Patched:
    """A model that lies here, patched as the options say; tells what a user should know of it.

    Raises:
        UsageError: It lies on a board, an option is none, or it cannot be patched with certainty.
    """
    from jetbench.bench.models import local_text
    from jetbench.cli.arguments import one_shape_of, phase_of, stages_of
    from jetbench.domain.errors import ModelError
    from jetbench.formats.words import escaped
    from jetbench.nets.batch import patch_batch

    try:
        patched = patch_batch(
            local_text(model),
            batch,
            phase=phase_of(phase),
            stages=stages_of(stage),
            shapes=one_shape_of(shape),
            data_layers=data_layers,
        )
    except ModelError as error:
        raise error.at(model.source) from None
    for note in patched.notes:
        print(f"note: {escaped(note)}", file=sys.stderr)
    return patched
