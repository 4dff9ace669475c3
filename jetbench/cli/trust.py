"""``jetbench boards trust``: enrol host keys after somebody has compared their fingerprints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jetbench.cli import complete
from jetbench.cli.common import InventoryOption

if TYPE_CHECKING:
    from collections.abc import Collection

    from jetbench.domain.board import Board
    from jetbench.remote.connection import Connector
    from jetbench.remote.trust import Offer


def trust(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME|@TAG]...",
            autocompletion=complete.boards,
            help="Only these boards.",
            show_default="all",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Take every key as it comes, unseen.")
    ] = False,
    fingerprint: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SHA256:…",
            help="Take only the key with this fingerprint, without asking; repeatable.",
            show_default=False,
        ),
    ] = None,
    inventory: InventoryOption = None,
) -> None:
    """Show the boards' host keys, and enrol them in known_hosts.

    Nobody logs in for it. Compare the fingerprint with what the board itself says on its
    console or over a cable: whoever enrols a key unseen trusts the network. Jump hosts on
    the way are enrolled first. A key that has changed is never replaced here. Exit code 0
    when every board asked for is trusted, else 1.

    \b
    Examples:
      jetbench boards trust tx2-01
      jetbench boards trust @lab-a --yes
      jetbench boards trust tx2-01 --fingerprint SHA256:jmz7vXzMNTMdXrYCzhDzkJGIl2vOAkAhNNMAEjTzQqA
    """
    from jetbench.bench.inventories import load_boards
    from jetbench.cli.secrets import Secrets
    from jetbench.remote.connection import Connector

    boards = load_boards(inventory, names or [])
    with Connector(ssh_config=None, ask_passphrase=Secrets().passphrase) as connector:
        trusted = [
            _trusted(connector, board, fingerprints=fingerprint or (), yes=yes) for board in boards
        ]
    raise typer.Exit(0 if all(trusted) else 1)


def _trusted(
    connector: Connector, board: Board, *, fingerprints: Collection[str], yes: bool
) -> bool:
    """Whether a board is trusted in the end; if not, the reason is told."""
    from jetbench.domain.errors import JetbenchError
    from jetbench.formats.words import escaped

    try:
        _trust(connector, board, fingerprints=fingerprints, yes=yes)
    except JetbenchError as error:
        typer.echo(f"error: {board.name}: {escaped(error.message)}", err=True)
        if error.hint:
            typer.echo(f"hint: {escaped(error.hint)}", err=True)
        return False
    return True


def _trust(
    connector: Connector, board: Board, *, fingerprints: Collection[str], yes: bool
) -> None:
    from jetbench.domain.errors import HostKeyError
    from jetbench.remote.trust import enrol, offers

    for offer in offers(connector, board):
        who = board.name if offer.is_board else f"jump host {offer.hop.host}"
        if fingerprints and offer.is_board and offer.key.fingerprint not in fingerprints:
            message = f"it shows another key than the one asked for: {offer.key}"
            raise HostKeyError(message, hint=f"compare with the board: {_command(offer)}")
        if offer.known:
            if offer.is_board:
                typer.echo(f"{who}: known already: {offer.key}")
            continue
        if not (yes or offer.key.fingerprint in fingerprints or _agreed(who, offer)):
            message = f"the key of {who} was not taken"
            raise HostKeyError(message)
        if offer.file is None:
            message = f"ssh_config allows no known_hosts file for {offer.hop.host}"
            raise HostKeyError(message, hint="name one with `known_hosts` in the inventory")
        enrol(connector, offer)
        typer.echo(f"{who}: trusted from now on, in {offer.file}: {offer.key}")


def _agreed(who: str, offer: Offer) -> bool:
    """Show a key to whoever sits at the terminal, and ask."""
    import sys

    from jetbench.domain.errors import UsageError

    if not sys.stdin.isatty():
        message = f"{who} shows {offer.key}, and there is no terminal to ask on"
        hint = f"compare with {_command(offer)}, then pass --fingerprint {offer.key.fingerprint}"
        raise UsageError(message, hint=hint)
    typer.echo(f"{who}, {offer.hop.host} port {offer.hop.port}, shows\n  {offer.key}", err=True)
    typer.echo(f"Compare with what it says itself:\n  {_command(offer)}", err=True)
    return typer.confirm("Is it the same?", err=True)


def _command(offer: Offer) -> str:
    return f"ssh-keygen -lf {offer.key.file_on_host}"
