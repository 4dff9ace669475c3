"""What a board's journal puts on a terminal while it comes."""

from __future__ import annotations

from jetbench.domain.errors import BoardAnswerError
from jetbench.domain.events import Finished, JournalBytes, Note
from jetbench.report.progress import Progress
from tests import make

PLAN = make.plan(models=("alpha",), repeats=2)
(BOARD,) = (board.name for board in PLAN.boards)


def said(progress: Progress, journal: str) -> list[str]:
    """The lines that a piece of journal becomes."""
    return progress.take(JournalBytes(BOARD, 0, journal.encode()), 0.0)


def test_each_trial_ends_once() -> None:
    """One that was never planned, or has ended before, is neither told nor counted."""
    progress = Progress(PLAN)
    ends = "".join(f"@done id={number} exit=0\n" for number in (2, 2, 1, 77, "x", 10**17, -1, 1))
    lines = said(progress, ends + "@skip id=1\n@skip id=9\n")
    assert [line.split(" ")[1] for line in lines] == ["1/2", "2/2"]
    assert (progress.boards[BOARD].done, len(progress.boards[BOARD].seconds)) == (2, 0)


def test_a_board_that_never_stops_talking_is_cut_off() -> None:
    """Some hundred lines, one that says so, and silence; its last word is still heard."""
    progress = Progress(PLAN)
    lines = []
    for _ in range(50):
        lines += said(progress, "@cooling limit_mc=1\n@guard state=ready mode=1\n" * 100)
    assert 100 < len(lines) < 200
    assert "says more" in lines[-1]
    assert progress.take(Finished(BOARD, BoardAnswerError("given up")), 0.0)


def test_no_escape_sequence_reaches_the_terminal() -> None:
    """Neither in a reason of the guard's, a mode, a status, an end, a note, nor an error."""
    progress = Progress(PLAN)
    bad = "\x1b[2J\x9b1m\u202e\r\x07"
    lines = said(
        progress,
        f'@guard state=ready mode="{bad}"\n@guard state=failed reason="{bad}"\n'
        f'@done id=1 exit="{bad}"\n@end reason="{bad}"\n',
    )
    lines += progress.take(Note(BOARD, bad), 0.0)
    lines += progress.take(Finished(BOARD, BoardAnswerError(bad)), 0.0)
    assert len(lines) == 5
    assert all(line.isprintable() for line in [*lines, progress.boards[BOARD].doing])
