"""Options that filter what was ever measured, the same for all commands that have them."""

from __future__ import annotations

from typing import Annotated

import typer

from jetbench.cli import complete

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
