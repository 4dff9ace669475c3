"""Filters over everything that was ever measured, the same for all commands that have them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.cli import complete
from jetbench.domain.errors import UsageError
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.history import Wanted
    from jetbench.domain.record import Status

SinceOption = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="Sweeps that began then or later: 2026-01-02[T03:04].",
        show_default=False,
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="Sweeps that began then or before.", show_default=False),
]
RealOption = Annotated[
    bool | None,
    typer.Option(
        "--real/--simulated", help="Only measured, or only simulated.", show_default="both"
    ),
]
ModelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        autocompletion=complete.zoo,
        help="Only this one; repeatable.",
        show_default="all",
    ),
]
StatusOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="STATUS", help="Only ok, suspect, failed or lost; repeatable.", show_default="all"
    ),
]

_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}([T ][0-9]{2}(:[0-9]{2}(:[0-9]{2}Z?)?)?)?)?)?")
_STATUSES: tuple[Status, ...] = ("ok", "suspect", "failed", "lost")


def wanted_of(
    boards: Sequence[str] | None,
    models: Sequence[str] | None,
    *,
    since: str | None = None,
    until: str | None = None,
    statuses: Sequence[str] | None = None,
    real: bool | None = None,
) -> Wanted:
    """What the options ask for; a board that begins with @ is a tag.

    Raises:
        UsageError: A date or a status is none.
    """
    from jetbench.domain.history import Wanted

    boards = boards or ()
    return Wanted(
        boards=tuple(board for board in boards if not board.startswith("@")),
        tags=tuple(board[1:] for board in boards if board.startswith("@")),
        models=tuple(models or ()),
        since_utc=_date(since, "--since"),
        until_utc=_date(until, "--until"),
        statuses=tuple(_status(status) for status in statuses or ()),
        simulated=None if real is None else not real,
    )


def _date(text: str | None, option: str) -> str | None:
    if text is None:
        return None
    if not _DATE.fullmatch(text):
        raise UsageError(
            f"{option} {printable(text, 40)!r} is no date", hint="2026-01-02, or 2026-01-02T03:04"
        )
    return text.replace(" ", "T")


def _status(text: str) -> Status:
    for status in _STATUSES:
        if text == status:
            return status
    raise UsageError(
        f"--status {printable(text, 40)!r} is none", hint=f"it is one of {', '.join(_STATUSES)}"
    )
