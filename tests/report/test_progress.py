"""What is told of a sweep while it runs."""

from __future__ import annotations

from jetbench.domain.errors import BoardAnswerError
from jetbench.domain.events import AtWork, Finished, JournalBytes, Note, TakenUp
from jetbench.report.progress import Progress
from tests import make

PLAN = make.plan(models=("alpha", "beta"), repeats=2)
TWO = make.plan(models=("alpha",), repeats=2)
NAME = PLAN.boards[0].name


def told(progress: Progress, text: str, *, part: int = 1) -> list[str]:
    """What a piece of a journal is worth telling."""
    return progress.take(JournalBytes(NAME, 0, text.encode(), part), now_s=0.0)


def test_a_trial_took_what_the_board_says_it_took() -> None:
    """Not what it took to hear of it: a journal may be read days later."""
    progress = Progress(PLAN)
    [line] = told(progress, "@trial id=1 up=10.25\n@done id=1 exit=0 up=12.75\n")
    assert line.endswith("done in 2.5 s")
    assert progress.boards[NAME].left_s(0.0) == 7.5


def test_a_sweep_that_is_taken_up_goes_on_from_where_it_was() -> None:
    """What is here counts; what another part repeats does not count again."""
    progress = Progress(PLAN)
    lines = progress.take(TakenUp(NAME, frozenset({1, 2})), now_s=0.0)
    assert lines == [f"{NAME}: 2 of 4 trials are here already"]
    assert told(progress, "@trial id=2 up=1.0\n@done id=2 exit=0 up=2.0\n@trial id=3 up=3") == []
    [line] = told(progress, "@trial id=4 up=1.0\n@done id=4 exit=0 up=2.0\n", part=2)
    assert line.startswith(f"{NAME}: 3/4 ")


def test_a_trial_that_was_ended_is_not_over() -> None:
    """It is neither done nor failed, and will be run again."""
    progress = Progress(PLAN)
    [line] = told(progress, "@trial id=1 up=1.0\n@done id=1 exit=143 up=2.0 stop=stopped\n")
    assert line.endswith(": ended")
    assert (progress.boards[NAME].done, progress.boards[NAME].failed) == (0, 0)


def test_a_board_that_measures_by_itself_is_not_done() -> None:
    """Its last word is that it does."""
    progress = Progress(PLAN)
    assert progress.take(AtWork(NAME), now_s=0.0) == [f"{NAME}: measures by itself"]
    assert progress.take(Finished(NAME, None), now_s=0.0) == []


def test_each_trial_ends_once() -> None:
    """One that was never planned, or has ended before, is neither told nor counted."""
    progress = Progress(TWO)
    ends = "".join(f"@done id={number} exit=0\n" for number in (2, 2, 1, 77, "x", 10**17, -1, 1))
    lines = told(progress, ends + "@skip id=1\n@skip id=9\n")
    assert [line.split(" ")[1] for line in lines] == ["1/2", "2/2"]
    assert (progress.boards[NAME].done, len(progress.boards[NAME].seconds)) == (2, 0)


def test_a_board_that_never_stops_talking_is_cut_off() -> None:
    """Some hundred lines, one that says so, and silence; its last word is still heard."""
    progress = Progress(TWO)
    lines = []
    for _ in range(50):
        lines += told(progress, "@cooling limit_mc=1\n@guard state=ready mode=1\n" * 100)
    assert 100 < len(lines) < 200
    assert "says more" in lines[-1]
    assert progress.take(Finished(NAME, BoardAnswerError("given up")), 0.0)


def test_no_escape_sequence_reaches_the_terminal() -> None:
    """Neither in a reason of the guard's, a mode, a status, an end, a note, nor an error."""
    progress = Progress(TWO)
    bad = "\x1b[2J\x9b1m\u202e\r\x07"
    lines = told(
        progress,
        f'@guard state=ready mode="{bad}"\n@guard state=failed reason="{bad}"\n'
        f'@done id=1 exit="{bad}"\n@end reason="{bad}"\n',
    )
    lines += progress.take(Note(NAME, bad), 0.0)
    lines += progress.take(Finished(NAME, BoardAnswerError(bad)), 0.0)
    assert len(lines) == 5
    assert all(line.isprintable() for line in [*lines, progress.boards[NAME].doing])
