"""What runs on the boards of a fleet, and how to end it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.bench.at_once import on_each
from jetbench.domain.errors import BoardError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jetbench.domain.board import Board
    from jetbench.domain.part import BoardStatus, PartOnBoard
    from jetbench.remote.connection import Link
    from jetbench.remote.session import Session

STOP_S = 180.0
"""How long a board may take to end a trial and to put itself back."""
_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found on one board."""

    board: Board
    status: BoardStatus | None
    error: BoardError | None

    def parts_of(self, sweep_id: str | None) -> tuple[PartOnBoard, ...]:
        """The parts of a sweep there; of every sweep where none is named."""
        parts = self.status.parts if self.status else ()
        return tuple(part for part in parts if sweep_id in {None, part.sweep_id})


@dataclass(frozen=True, slots=True)
class Stopped:
    """What became of a sweep on one board that was told to end it."""

    board: Board
    found: bool
    """Whether it ran there, or its journal is there."""
    ran: bool
    left_behind: bool = False
    """Whether the power state is still not the board's own."""
    error: BoardError | None = None


def look_at(boards: Sequence[Board], connect: Callable[[Board], Link]) -> tuple[Looked, ...]:
    """Ask every board what runs there, in the order given; nothing is disturbed."""
    return on_each(
        boards,
        connect,
        lambda board, session: Looked(board, session.status(), None),
        lambda board, error: Looked(board, None, error),
    )


def stop_on(
    sweep_id: str, boards: Sequence[Board], connect: Callable[[Board], Link]
) -> tuple[Stopped, ...]:
    """End a sweep wherever it runs, and wait until each board has put itself back."""
    return on_each(
        boards,
        connect,
        lambda board, session: _stop(board, session, sweep_id),
        lambda board, error: Stopped(board, found=False, ran=False, error=error),
    )


def _stop(board: Board, session: Session, sweep_id: str) -> Stopped:
    def running() -> list[bool]:
        return [part.running for part in session.status().parts if part.sweep_id == sweep_id]

    there = running()
    if not any(there):
        return Stopped(board, found=bool(there), ran=False)
    session.stop(sweep_id)
    give_up_s = time.monotonic() + STOP_S
    while any(running()):
        if time.monotonic() > give_up_s:
            message = f"it was told to stop, and has not ended within {STOP_S:.0f} s"
            raise BoardError(message, hint=f"jetbench boards unlock {board.name}")
        time.sleep(_LOOK_S)
    now = session.status()
    return Stopped(
        board, found=True, ran=True, left_behind=now.left_behind and now.held_by is None
    )
