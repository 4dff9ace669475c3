"""Put back power states that were left behind, on every board of a fleet at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.bench.at_once import on_each
from jetbench.bench.guard import Guard
from jetbench.domain.errors import BusyError, NotReadyError
from jetbench.formats.journal import EventReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jetbench.domain.board import Board
    from jetbench.domain.errors import BoardError
    from jetbench.domain.facts import PowerMode
    from jetbench.remote.connection import Link
    from jetbench.remote.session import Session


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of one board."""

    board: Board
    needed: bool
    """Whether anything had been left behind, as far as is known."""
    mode: PowerMode | None
    """The power mode that it has again."""
    error: BoardError | None


def restore(
    boards: Sequence[Board],
    connect: Callable[[Board], Link],
    password: Callable[[Board], str],
) -> tuple[Restored, ...]:
    """Put back what a guard could not, where there is something; in the order given.

    Args:
        boards: Where to look.
        connect: How to reach a board.
        password: The sudo password of a board that wants one.
    """
    return on_each(
        boards,
        connect,
        lambda board, session: _mend(board, session, password),
        lambda board, error: Restored(board, needed=True, mode=None, error=error),
    )


def _mend(board: Board, session: Session, password: Callable[[Board], str]) -> Restored:
    facts, _ = session.probe(caffe=None, caffe_root=None, gpu="none")
    if not facts.left_behind:
        return Restored(board, needed=False, mode=facts.power_mode, error=None)
    if facts.held_by is not None:
        message = "a sweep runs there, and puts the power state back at its end"
        raise BusyError(message, hint="wait until it is over")
    guard = put_back(session, password(board) if facts.sudo == "password" else None)
    return Restored(board, needed=True, mode=guard.mode_restored, error=None)


def put_back(session: Session, password: str | None) -> Guard:
    """Put one board's power state back.

    Raises:
        NotReadyError: It could not be done.
    """
    guard = Guard.read(EventReader().feed(session.restore(password=password)))
    if guard.failure is not None or not guard.restored:
        message = f"the power state could not be put back: {guard.failure}"
        raise NotReadyError(message, hint="log in and look: sudo nvpmodel -q")
    return guard
