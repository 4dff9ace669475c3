"""What several commands share: options that mean the same everywhere, and patching."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.cli import complete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.bench.models import ResolvedModel
    from jetbench.nets.batch import Patched

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
    from jetbench.bench.models import patched_here
    from jetbench.cli.arguments import one_shape_of, phase_of, stages_of
    from jetbench.formats.words import escaped

    patched = patched_here(
        model,
        batch,
        phase=phase_of(phase),
        stages=stages_of(stage),
        shapes=one_shape_of(shape),
        data_layers=data_layers,
    )
    for note in patched.notes:
        print(f"note: {escaped(note)}", file=sys.stderr)
    return patched
