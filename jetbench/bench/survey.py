"""A look at every board of a fleet, all at once, changing nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.analysis.readiness import lacks
from jetbench.domain.errors import BoardError
from jetbench.remote.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jetbench.analysis.readiness import Lack
    from jetbench.domain.board import Board
    from jetbench.domain.facts import BoardFacts
    from jetbench.domain.plan import Options
    from jetbench.remote.connection import Link

_THREADS = 64


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What was found on one board."""

    board: Board
    facts: BoardFacts | None
    lacks: tuple[Lack, ...]
    error: BoardError | None

    @property
    def can_measure(self) -> bool:
        """Whether nothing stands in the way."""
        return self.facts is not None and not any(lack.stops for lack in self.lacks)


def survey(
    boards: Sequence[Board], options: Options, connect: Callable[[Board], Link]
) -> tuple[Surveyed, ...]:
    """Probe every board and hold it against what is to be measured, in the order given."""

    def look(board: Board) -> Surveyed:
        gpu = options.gpu_on(board)
        try:
            link = connect(board)
            try:
                facts, _ = Session(link).probe(
                    caffe=board.caffe, caffe_root=board.caffe_root, gpu=str(gpu)
                )
            finally:
                link.close()
        except BoardError as error:
            return Surveyed(board, None, (), error)
        return Surveyed(board, facts, lacks(facts, options, gpu), None)

    with ThreadPoolExecutor(max_workers=min(_THREADS, max(len(boards), 1))) as pool:
        return tuple(pool.map(look, boards))
