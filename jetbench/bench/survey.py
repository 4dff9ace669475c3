"""A look at every board of a fleet, all at once, changing nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.analysis.readiness import lacks
from jetbench.bench.at_once import on_each

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jetbench.analysis.readiness import Lack
    from jetbench.domain.board import Board
    from jetbench.domain.errors import BoardError
    from jetbench.domain.facts import BoardFacts
    from jetbench.domain.plan import Options
    from jetbench.remote.connection import Link
    from jetbench.remote.session import Session


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What was found on one board."""

    board: Board
    facts: BoardFacts | None
    """What the board says of itself; None where it was not reached."""
    lacks: tuple[Lack, ...]
    """Everything in the way of measuring, the worst first."""
    error: BoardError | None

    @property
    def can_measure(self) -> bool:
        """Whether nothing stands in the way."""
        return self.facts is not None and not any(lack.stops for lack in self.lacks)


def survey(
    boards: Sequence[Board], options: Options, connect: Callable[[Board], Link]
) -> tuple[Surveyed, ...]:
    """Probe every board and hold it against what is to be measured, in the order given."""

    def look(board: Board, session: Session) -> Surveyed:
        gpu = options.gpu_on(board)
        facts, _ = session.probe(caffe=board.caffe, caffe_root=board.caffe_root, gpu=str(gpu))
        return Surveyed(board, facts, lacks(facts, options, gpu), None)

    return on_each(boards, connect, look, lambda board, error: Surveyed(board, None, (), error))
