"""Enrolling host keys: what a server shows, and taking its word after somebody has looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.domain.errors import UnknownHostKeyError
from jetbench.remote.hostkeys import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jetbench.domain.board import Board
    from jetbench.remote.address import Hop
    from jetbench.remote.connection import Connector
    from jetbench.remote.hostkeys import HostKey


@dataclass(frozen=True, slots=True)
class Offer:
    """The key that a server on the way to a board shows."""

    hop: Hop
    key: HostKey
    is_board: bool
    """False for a jump host."""
    known: bool
    """Whether it is trusted already."""

    @property
    def file(self) -> Path | None:
        """Where the key is to be kept; None where ssh_config forbids any file."""
        return self.hop.known_hosts[0] if self.hop.known_hosts else None


def offers(connector: Connector, board: Board) -> Iterator[Offer]:
    """The keys of all servers on the way to a board, in order, the board's last.

    Each key has to be trusted, by `enrol`, before the next one is asked for: the server
    behind it is reached through it.

    Raises:
        ChangedHostKeyError: A server shows another key than the one it is known by.
        BoardError: A server cannot be reached.
    """
    route = connector.route(board)
    for index, hop in enumerate(route):
        key = connector.fetch_host_key(route[: index + 1], board.name)
        known = True
        try:
            verify(key, connector.known_keys(hop), name=hop.known_as, board=board.name)
        except UnknownHostKeyError:
            known = False
        yield Offer(hop, key, is_board=index == len(route) - 1, known=known)


def enrol(connector: Connector, offer: Offer) -> bool:
    """Write a key to the known_hosts file that is asked about its server.

    Returns:
        False where it has got there in the meantime, or there is no file to write to.

    Raises:
        StoreError: The file cannot be written.
    """
    if offer.file is None:
        return False
    return connector.known_hosts.add(
        offer.file, offer.hop.known_as, offer.key, hash_name=offer.hop.hash_known_hosts
    )
