"""The lines of a live display, on screens of any size."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from jetbench.domain.errors import BoardAnswerError
from jetbench.domain.events import Finished, JournalBytes, SweepEvent
from jetbench.report.fitting import cut, cut_middle, padded
from jetbench.report.progress import Progress, Stage
from jetbench.report.screen import Tone, duration, screen
from tests import make

LETTERS = st.text(st.sampled_from("abc-09密码é́…"), min_size=1, max_size=40)
JOURNALS = (
    b"",
    b"@guard state=ready mode=0\n",
    b"@trial id=1 up=1.5 gpu_temp_mc=-8500 gpu_cur_hz=1300500000\n",
    b"@trial id=1 up=1\n@done id=1 exit=0 up=400000 gpu_temp_mc=101000\n@trial id=2 up=400000\n",
    b"@trial id=1 up=1\n@done id=1 exit=9 up=2\n@cooling limit_mc=60000\n",
    b"@end reason=guard-gone\n",
)


@given(
    st.lists(LETTERS, min_size=1, max_size=70, unique=True),
    LETTERS,
    st.lists(st.tuples(st.sampled_from(JOURNALS), st.sampled_from(["", "well", "badly"]))),
    st.integers(20, 200),
    st.integers(1, 60),
)
def test_no_line_is_too_wide_and_none_too_many(
    names: list[str], model: str, told: list[tuple[bytes, str]], width: int, height: int
) -> None:
    """Whatever boards and models are called, and whatever becomes of the boards."""
    plan = make.plan(models=(model, "other"), repeats=3)
    (board,) = plan.boards
    plan = replace(plan, boards=tuple(replace(board, name=name) for name in names))
    progress = Progress(plan)
    for name, (journal, end) in zip(names, told, strict=False):
        progress.take(JournalBytes(name, 0, journal), 0.0)
        if end:
            error = BoardAnswerError(model * 20) if end == "badly" else None
            progress.take(Finished(name, error), 0.0)
    rows = screen(progress, 2.0, width, height)
    assert 1 <= len(rows) <= height
    assert all(cell_len(row.text) <= width and row.text.isprintable() for row in rows)


def shown(events: dict[str, list[SweepEvent | bytes]], width: int = 79) -> list[str]:
    """The lines of boards to which that has happened, in this order."""
    plan = make.plan(models=("bvlc_googlenet", "vgg16"), boards=tuple(events), repeats=3)
    progress = Progress(plan)
    for name, happened in events.items():
        for event in happened:
            told = JournalBytes(name, 0, event) if isinstance(event, bytes) else event
            progress.take(told, 0.0)
    return [row.text for row in screen(progress, 1.0, width, 23)]


def test_a_line_says_what_runs_how_far_how_long_and_how_warm() -> None:
    """With header and sum, in columns; and problems first, with what is wrong."""
    case = make.plan(models=("bvlc_googlenet", "vgg16"), repeats=3)
    first, second = (case.cases[trial.case].model for trial in case.trials[:2])
    assert shown(
        {
            "tx2-01": [],
            "tx2-02": [b"@trial id=1 up=1 gpu_temp_mc=52400 gpu_cur_hz=1300500000\n"],
            "tx2-03": [b"@trial id=1 up=1\n@done id=1 exit=0 up=65\n@trial id=2 up=65\n"],
            "tx2-04": [b"@trial id=1 up=1\n", Finished("tx2-04", None)],
            "tx2-05": [b"@trial id=1 up=1\n", Finished("tx2-05", BoardAnswerError("x" * 99))],
        }
    ) == [
        "Board  Trials             Now                                        GPU   Left",
        f"tx2-05 [----------]   0/6 {'x' * 52}…",
        f"tx2-02 [----------]   0/6 {first + ' 1/3':<31} 52 °C 1300 MHz",
        f"tx2-03 [#---------]   1/6 {second + ' 1/3':<31}                  5:19",
        "tx2-01 [----------]   0/6 waiting",
        "tx2-04 [----------]   0/6 done",
        "All    [----------]  1/30 2 of 5 boards done                               6:24",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (41.9, "0:41"), (725, "12:05"), (11_100, "3h05m"), (1e7, "99h+")],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    """Six columns at most."""
    assert duration(seconds) == text


def test_names_keep_what_tells_them_apart() -> None:
    """Of those that are too long, beginning and end; two columns a letter where it has two."""
    assert cut_middle("jetson-tx2-lab-07", 14) == "jetson…-lab-07"
    assert cut_middle("密密密密密密", 7) == "密密…密"
    assert cut("bvlc_googlenet", 8) == "bvlc_go…"
    assert cut("密密密", 4) == "密…"
    assert cut("密", 0) == ""
    assert padded("密", 4) == "密  "
    assert padded("密", 4, right=True) == "  密"


@given(LETTERS, st.integers(0, 50))
def test_a_text_is_as_wide_as_it_may_be(text: str, width: int) -> None:
    """And left as it is where it fits."""
    for cutting in (cut, cut_middle):
        assert cell_len(cutting(text, width)) <= width
        assert cell_len(text) > width or cutting(text, width) == text


def test_however_many_boards_have_failed_half_of_the_lines_are_for_those_that_run() -> None:
    """And where few run, all others are for those with problems."""
    names = tuple(f"b{number:02d}" for number in range(64))
    for running, seen in ((4, 4), (24, 10)):
        progress = Progress(make.plan(boards=names))
        for number, name in enumerate(names):
            progress.take(JournalBytes(name, 0, b"@trial id=1 up=1\n"), 0.0)
            if number >= running:
                progress.take(Finished(name, BoardAnswerError("gone")), 0.0)
        rows = screen(progress, 0.0, 79, 23)
        tones = [row.tone for row in rows[1:-2]]
        assert tones.count(Tone.PLAIN) == seen
        assert tones == sorted(tones, key=[Tone.BAD, Tone.PLAIN].index)
        assert len(rows) == 23


def test_stages_have_an_order() -> None:
    """What matters first."""
    assert all(one < two for one, two in pairwise(Stage))
