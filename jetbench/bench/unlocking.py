"""Break the locks of dead sweeps, on every board of a fleet at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.bench.at_once import on_each
from jetbench.bench.restoring import put_back

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jetbench.domain.board import Board
    from jetbench.domain.errors import BoardError
    from jetbench.remote.connection import Link
    from jetbench.remote.session import Session


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What became of one board."""

    board: Board
    broken: bool
    """Whether there was a lock to break."""
    error: BoardError | None = None


def unlock(
    boards: Sequence[Board],
    connect: Callable[[Board], Link],
    password: Callable[[Board], str],
    *,
    force: bool,
) -> tuple[Unlocked, ...]:
    """Break locks and put power states back, in the order given.

    Args:
        boards: Where.
        connect: How to reach a board.
        password: The sudo password of a board that wants one.
        force: Whether to end sweeps that are alive, too.
    """

    def free(board: Board, session: Session) -> Unlocked:
        facts, _ = session.probe(caffe=None, caffe_root=None, gpu="none")
        secret = password(board) if facts.sudo == "password" else None
        broken = session.unlock(force=force, password=secret)
        if session.status().left_behind:
            put_back(session, secret)
        return Unlocked(board, broken)

    return on_each(
        boards, connect, free, lambda board, error: Unlocked(board, broken=False, error=error)
    )
