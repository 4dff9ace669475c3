"""The same short job on every board of a fleet at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from jetbench.domain.errors import BoardError
from jetbench.remote.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from jetbench.domain.board import Board
    from jetbench.remote.connection import Link

    T = TypeVar("T")

_THREADS = 64


def on_each(
    boards: Sequence[Board],
    connect: Callable[[Board], Link],
    job: Callable[[Board, Session], T],
    failed: Callable[[Board, BoardError], T],
) -> tuple[T, ...]:
    """Do a job on every board over a connection of its own, and hang up.

    Args:
        boards: Where.
        connect: How to reach a board.
        job: What to do there.
        failed: What becomes of a board that cannot be reached, or whose job raises.

    Returns:
        What came of each board, in the order given.
    """

    def visit(board: Board) -> T:
        try:
            link = connect(board)
            try:
                return job(board, Session(link))
            finally:
                link.close()
        except BoardError as error:
            return failed(board, error)

    with ThreadPoolExecutor(max_workers=min(_THREADS, max(len(boards), 1))) as pool:
        return tuple(pool.map(visit, boards))
