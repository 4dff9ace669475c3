"""``jetbench boards sudoers``: the guard and the rule of sudo, for an administrator to install."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from jetbench.domain.errors import UsageError

_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,31}")
"""What neither sudoers nor a shell takes for anything else."""


def write_sudoers(
    folder: Annotated[
        Path, typer.Option("-o", metavar="DIR", help="Where to write the files; a new folder.")
    ],
    user: Annotated[
        str, typer.Option(metavar="NAME", help="Who may run the guard: the user of the boards.")
    ] = "nvidia",
) -> None:
    """Write what lets a user set power mode and clocks, and nothing else as root.

    With full sudo a sweep brings its own guard along. For a board whose user is to have less,
    an administrator installs the guard once, and a rule of sudo that allows it and nothing
    else. This writes both into a folder, and says what to type on the board. After an update of
    jetbench, `jetbench boards check` says whether it is to be done again.

    \b
    Examples:
      jetbench boards sudoers -o for-boards
      jetbench boards sudoers -o for-boards --user bench

    docs/explanation/security.md says what the guard does, and why that user cannot make it do
    more.
    """
    from jetbench.remote import installed
    from jetbench.remote.exchange import script_text

    if not _USER.fullmatch(user) or user == "ALL":
        message = f"{user!r} is no name of a user that a rule of sudo can hold"
        raise UsageError(message, hint="letters, digits, - and _, and no more than 32 of them")
    try:
        folder.mkdir(parents=True, mode=0o755)
        for name in installed.SCRIPTS:
            (folder / name).write_bytes(script_text(name))
        (folder / installed.RULE).write_bytes(installed.sudoers(user).encode())
    except FileExistsError:
        message = f"{folder} is there already"
        raise UsageError(message, hint="name a folder that is not there yet with -o DIR") from None
    except OSError as error:
        message = f"{folder} cannot be written: {error.strerror}"
        raise UsageError(message, hint="name another one with -o DIR") from error
    typer.echo(f"Wrote {folder}. Copy it to each board, as somebody who may become root there:\n")
    typer.echo(f"scp -r {shlex.quote(str(folder))} ADMIN@BOARD:\n")
    typer.echo("and type there, in that folder:\n")
    typer.echo(installed.steps(user))
    typer.echo(f"Then take {user}'s other rights (sudo -l; sudo gpasswd -d {user} sudo), and:\n")
    typer.echo("jetbench boards check")
