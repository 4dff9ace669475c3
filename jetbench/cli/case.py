"""One case of a sweep, chosen by options; where several fit, they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.cli import complete
from jetbench.domain.errors import ChoiceError
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jetbench.analysis.chosen import WantedCase
    from jetbench.domain.record import Record

OneBoardOption = Annotated[
    str | None,
    typer.Option(
        "--board",
        "-b",
        metavar="NAME",
        autocompletion=complete.boards,
        help="Which board.",
        show_default=False,
    ),
]
OneModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        autocompletion=complete.zoo,
        help="Which model.",
        show_default=False,
    ),
]
OneBatchOption = Annotated[
    int | None, typer.Option("--batch", metavar="N", help="Which batch.", show_default=False)
]
OneModeOption = Annotated[
    str | None,
    typer.Option("--power-mode", metavar="ID|NAME", help="Which power mode.", show_default=False),
]

_MOST = 12


def the_record(records: Iterable[Record], wanted: WantedCase, source: str) -> Record:
    """The one record that is meant.

    Raises:
        ChoiceError: None is, or several are: they are told.
    """
    records = list(records)
    found = wanted.among(records)
    if len(found) == 1:
        return found[0]
    raise not_one([_options(record) for record in found or records], source, any_fits=bool(found))


def not_one(choices: Sequence[str], source: str, *, any_fits: bool) -> ChoiceError:
    """The error where not exactly one case is meant."""
    each = list(dict.fromkeys(choices))
    told = each[:_MOST]
    if len(each) > _MOST:
        told.append(f"and {len(each) - _MOST} more")
    what = f"{len(each)} cases fit" if any_fits else "no case fits"
    return ChoiceError(f"{printable(source)}: {what}", told)


def _options(record: Record) -> str:
    mode = record.power_mode
    shown = "" if mode is None else f" --power-mode {printable(mode.name or str(mode.id), 40)}"
    return (
        f"--board {printable(record.board, 40)} --model {printable(record.model, 60)} "
        f"--batch {record.batch}{shown}"
    )
