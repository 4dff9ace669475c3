"""What is told of a sweep while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.domain.errors import BoardAnswerError
from jetbench.domain.events import AtWork, Finished, JournalBytes, Note, TakenUp
from jetbench.report.progress import Progress, Stage
from tests import make

if TYPE_CHECKING:
    from jetbench.domain.events import SweepEvent

PLAN = make.plan(models=("alpha", "beta"), repeats=2)
TWO = make.plan(models=("alpha",), repeats=2)
NAME = PLAN.boards[0].name


def told(progress: Progress, text: str, *, part: int = 1) -> list[str]:
    """What a piece of a journal is worth telling."""
    return taken(progress, JournalBytes(NAME, 0, text.encode(), part))


def taken(progress: Progress, event: SweepEvent) -> list[str]:
    """What an event is worth telling."""
    return [line.text for line in progress.take(event, now_s=0.0)]


def test_a_trial_took_what_the_board_says_it_took() -> None:
    """Not what it took to hear of it: a journal may be read days later."""
    progress = Progress(PLAN)
    [line] = told(progress, "@trial id=1 up=10.25\n@done id=1 exit=0 up=12.75\n")
    assert line.endswith("done in 2.5 s")
    assert progress.boards[NAME].left_s(0.0) == 7.5


def test_a_sweep_that_is_taken_up_goes_on_from_where_it_was() -> None:
    """What is here counts; what another part repeats does not count again."""
    progress = Progress(PLAN)
    lines = taken(progress, TakenUp(NAME, frozenset({1, 2})))
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
    assert taken(progress, AtWork(NAME)) == [f"{NAME}: measures by itself"]
    assert taken(progress, Finished(NAME, None)) == []


def test_each_trial_ends_once() -> None:
    """One that was never planned, or has ended before, is neither told nor counted."""
    progress = Progress(TWO)
    ends = "".join(f"@done id={number} exit=0\n" for number in (2, 2, 1, 77, "x", 10**17, -1, 1))
    lines = told(progress, ends + "@skip id=1\n@skip id=9\n")
    assert [line.split(" ")[1] for line in lines] == ["1/2", "2/2"]
    assert (progress.boards[NAME].done, progress.boards[NAME].pace.trials.count) == (2, 0)


def test_a_board_that_never_stops_talking_is_cut_off() -> None:
    """Some hundred lines, one that says so, and silence; its last word is still heard."""
    progress = Progress(TWO)
    lines = []
    for _ in range(50):
        lines += told(progress, "@cooling limit_mc=1\n@guard state=ready mode=1\n" * 100)
    assert 100 < len(lines) < 200
    assert "says more" in lines[-1]
    assert taken(progress, Finished(NAME, BoardAnswerError("given up")))


def test_no_escape_sequence_reaches_the_terminal() -> None:
    """Neither in a reason of the guard's, a mode, a status, an end, a note, nor an error."""
    progress = Progress(TWO)
    bad = "\x1b[2J\x9b1m\u202e\r\x07"
    lines = told(
        progress,
        f'@guard state=ready mode="{bad}"\n@guard state=failed reason="{bad}"\n'
        f'@done id=1 exit="{bad}"\n@end reason="{bad}"\n',
    )
    lines += taken(progress, Note(NAME, bad))
    lines += taken(progress, Finished(NAME, BoardAnswerError(bad)))
    assert len(lines) == 5
    assert all(line.isprintable() for line in [*lines, progress.boards[NAME].doing])


def test_the_clock_is_that_of_the_gpu_at_work() -> None:
    """As of the last trial that was heard; what it is between the trials says nothing of them."""
    progress = Progress(PLAN)
    board = progress.boards[NAME]
    told(progress, "@trial id=1 up=1.0 gpu_cur_hz=114750000 gpu_temp_mc=40500\n")
    assert (board.gpu_mhz, board.temp_c) == (114.75, 40.5)
    told(
        progress,
        "~ 1.5 GR3D_FREQ 2%@114 GPU@41C\n~ 2.0 GR3D_FREQ 99%@1300 GPU@47.5C\n"
        "~ 2.5 GR3D_FREQ 0%@114\n@done id=1 exit=0 up=3.0 gpu_cur_hz=114750000\n"
        "@trial id=2 up=3.1 gpu_cur_hz=114750000\n",
    )
    assert (board.gpu_mhz, board.temp_c) == (1300, 47.5)
    told(progress, "@guard state=ready mode=1 gpu_cur_hz=0\n")
    assert board.gpu_mhz is None


def test_a_board_s_event_is_not_taken_for_telemetry() -> None:
    """Whatever its kind: it may lack what a line of telemetry has."""
    progress = Progress(PLAN)
    assert told(progress, '@~ up=1\n@~ line\n@"~ line" up=x text=y\n~ x\n~ 1\n') == []


def test_the_time_left_knows_the_models_and_the_pauses() -> None:
    """Each model takes as long as it took; between two trials the board cools down."""
    progress = Progress(PLAN)
    alpha, beta = (
        [trial.id for trial in PLAN.trials if PLAN.cases[trial.case].model == model]
        for model in ("alpha", "beta")
    )
    told(progress, f"@trial id={alpha[0]} up=0\n@done id={alpha[0]} exit=0 up=1\n")
    told(progress, f"@trial id={beta[0]} up=6\n@done id={beta[0]} exit=0 up=16\n")
    assert progress.boards[NAME].left_s(0.0) == 1 + 10 + 2 * 5
    told(progress, f"@trial id={beta[1]} up=21\n")
    assert progress.boards[NAME].left_s(4.0) == 1 + 10 + 2 * 5 - 4
    assert progress.boards[NAME].left_s(1000.0) == 1 + 2 * 5


def test_a_sweep_takes_as_long_as_its_last_board() -> None:
    """One of which nothing is known is as fast as the others; one that is over needs nothing."""
    progress = Progress(make.plan(models=("alpha",), boards=("one", "two", "three"), repeats=3))
    assert progress.left_s(0.0) is None
    told(progress, "@trial id=1 up=0\n@done id=1 exit=0 up=7\n")
    assert progress.left_s(0.0) == 3 * 7
    for name in ("two", "three"):
        taken(progress, Finished(name, None))
    assert progress.left_s(0.0) == 2 * 7


def test_what_matters_is_told_and_each_failure_of_a_case_once() -> None:
    """To those who see a line for each board; others see every line."""
    progress = Progress(PLAN)
    same = [trial.id for trial in PLAN.trials if trial.case == 0]
    text = "".join(f"@trial id={number} up=1\n@done id={number} exit=1 up=2\n" for number in same)
    lines = progress.take(JournalBytes(NAME, 0, text.encode()), now_s=0.0)
    assert [line.matters for line in lines] == [True, False]
    assert progress.boards[NAME].failed == 2
    (line,) = progress.take(Note(NAME, "the link broke", "waiting"), now_s=0.0)
    assert line.matters
    assert progress.boards[NAME].doing == "waiting"


def test_a_board_that_measures_again_has_no_problem_any_more() -> None:
    """It went down, came back, and goes on as another part."""
    progress = Progress(PLAN)
    board = progress.boards[NAME]
    stages = [board.stage]
    told(progress, "@end reason=guard-gone\n")
    stages.append(board.stage)
    told(progress, "@trial id=1 up=1\n", part=2)
    stages.append(board.stage)
    taken(progress, Finished(NAME, None))
    stages.append(board.stage)
    assert stages == [Stage.WAITING, Stage.TROUBLE, Stage.RUNNING, Stage.OVER]
    assert board.doing == "done"
