"""What a person sees on a terminal while a sweep runs: the display, painted and read back."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jetbench.cli.paint import Painter, can_move, has_colours, room_on
from jetbench.domain.errors import BoardAnswerError
from jetbench.domain.events import Finished, JournalBytes
from jetbench.report.progress import Progress
from jetbench.report.screen import Row, Tone, screen
from tests import make
from tests.screens import Terminal, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jetbench.domain.events import SweepEvent

BOARDS = tuple(f"tx2-{number:02d}" for number in range(1, 65))
PLAN = make.plan(models=("bvlc_alexnet", "vgg16"), boards=BOARDS, repeats=3)
STARTED = b"@guard state=ready mode=0\n@trial id=1 up=5 gpu_temp_mc=41000 gpu_cur_hz=1300500000\n"


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


class Sweep:
    """Sixty-four boards, a terminal, and a painter between them."""

    def __init__(self, shown: Terminal) -> None:
        self.shown = shown
        self.progress = Progress(PLAN)
        self.stream = os.fdopen(os.dup(shown.theirs), "w")
        self.painter = Painter(self.rows, self.stream)

    def rows(self, width: int, height: int) -> Sequence[Row]:
        return screen(self.progress, 0.0, width, height)

    def takes(self, *events: SweepEvent) -> None:
        for event in events:
            for line in self.progress.take(event, 0.0):
                if line.matters:
                    self.painter.say(Row(line.text, Tone.BAD))

    def told(self, board: str, text: bytes) -> JournalBytes:
        return JournalBytes(board, 0, text)

    def is_painted(self) -> None:
        """Return when the terminal shows what there is to be seen, as its last lines."""
        columns, lines = os.get_terminal_size(self.shown.theirs)

        def painted() -> bool:
            wanted = [row.text for row in self.rows(*room_on(columns, lines))]
            line, column, seen = self.shown.cursor
            above = self.shown.lines[line - len(wanted) : line]
            return above == wanted and (column, seen) == (0, True)

        self.shown.wait_for(painted)


@contextmanager
def sweep(shown: Terminal) -> Iterator[Sweep]:
    """A sweep that is shown."""
    one = Sweep(shown)
    with one.stream, one.painter:
        yield one


def test_sixty_four_boards_fit_on_80_by_24() -> None:
    """Those with problems first, then those that run; the others are counted, and there is a sum.

    What is wrong stands above for good.
    """
    with terminal() as shown, sweep(shown) as one:
        one.is_painted()
        assert shown.lines[0].split() == ["Board", "Trials", "Now", "GPU", "Left"]
        assert shown.lines[16] == "… and 49 more: 49 waiting"
        assert shown.lines[17].startswith("All    [----------]   0/384 0 of 64 boards done")
        one.takes(*(one.told(name, STARTED) for name in BOARDS[10:14]))
        one.takes(one.told("tx2-14", b"@done id=1 exit=134 up=9\n@trial id=2 up=9\n"))
        one.takes(Finished("tx2-50", BoardAnswerError("no answer from 10.0.0.50")))
        one.is_painted()
        assert shown.lines[0].startswith("tx2-14: 1/6 ")
        assert shown.lines[0].endswith(", 1 of 3: failed with exit status 134 in 4.0 s")
        assert shown.lines[1] == "tx2-50: no answer from 10.0.0.50"
        assert [line.partition(" ")[0] for line in shown.lines[2:12]] == [
            "Board", "tx2-14", "tx2-50", "tx2-11", "tx2-12", "tx2-13",
            "tx2-01", "tx2-02", "tx2-03", "tx2-04",
        ]  # fmt: skip
        assert shown.lines[18] == "… and 49 more: 49 waiting"
        failed, running = shown.lines[3], shown.lines[5]
        assert re.search(
            r" 1/6 +1 failed, (bvlc_ale|vgg16).* [1-3]/3 +41 °C 1300 MHz +0:20$", failed
        )
        assert re.search(r" 0/6 +(bvlc_alexnet|vgg16) 1/3 +41 °C 1300 MHz$", running)
        assert re.search(r" 1/384 1 of 64 boards done, 1 failed +0:24$", shown.lines[19])


def test_boards_do_not_change_places_while_they_run() -> None:
    """Neither with a new trial, nor with a wait; only what becomes of them moves them."""
    progress = Progress(PLAN)

    def order() -> list[str]:
        return [row.text.partition(" ")[0] for row in screen(progress, 0.0, 79, 18)]

    def tell(board: str, text: bytes) -> None:
        progress.take(JournalBytes(board, 0, text), 0.0)

    for name in BOARDS[:10]:
        tell(name, STARTED)
    before = order()
    for text in (
        b"@cooling limit_mc=1\n",
        b"@done id=1 exit=0 up=9\n@trial id=2 up=9\n",
        b"@end\n",
    ):
        for name in (BOARDS[4], BOARDS[9], BOARDS[0]):
            tell(name, text.replace(b"@end", b"@end reason=finished"))
        assert order() == before
    progress.take(Finished(BOARDS[0], None), 0.0)
    assert order()[1:10] == list(BOARDS[1:10])


def test_the_display_is_gone_at_the_end_and_what_was_said_stays() -> None:
    """Also what was said last; the cursor stands below it, to be seen."""
    with terminal(lines=40) as shown:
        with sweep(shown) as one:
            one.painter.say(Row("first"))
            one.is_painted()
            one.painter.say(Row("x" * 200))
        shown.hear_all()
        assert shown.lines[:4] == ["first", "x" * 80, "x" * 80, "x" * 40]
        assert not any(shown.lines[4:])
        assert shown.cursor == (4, 0, True)


def test_what_is_said_is_whole_though_the_end_of_a_frame_was_lost() -> None:
    """Ctrl-C makes the kernel discard what the terminal has not read, such as that lines break."""
    with terminal(lines=40) as shown:
        with sweep(shown) as one:
            one.is_painted()
            os.write(shown.theirs, b"\x1b[?7l")
            one.painter.say(Row("x" * 200))
        shown.hear_all()
    assert "".join(shown.lines).count("x" * 200) == 1


@pytest.mark.parametrize("breaks_lines", [False, True])
def test_a_terminal_may_change_its_size(breaks_lines: bool) -> None:  # noqa: FBT001 - pytest's
    """Smaller, larger, narrow: one display, whole, and nothing left of the one before."""
    with terminal(breaks_lines=breaks_lines) as shown, sweep(shown) as one:
        one.takes(*(one.told(name, STARTED) for name in BOARDS[:30]))
        for columns, lines in ((80, 24), (60, 24), (60, 12), (100, 30), (30, 10), (80, 24)):
            with one.painter._lock:
                shown.hear_all()
                shown.resize(columns, lines)
            one.is_painted()
            whole = [line for line in shown.lines if line]
            assert sum(line.startswith("All ") for line in whole) == 1, shown.text
            assert sum(line.startswith("Board ") for line in whole) == 1, shown.text
            assert sum(line.startswith("tx2-01 ") for line in whole) == 1, shown.text


def test_what_was_said_survives_a_terminal_that_breaks_its_lines() -> None:
    """The lines of the display that were broken are removed, and nothing above them."""
    with terminal(breaks_lines=True) as shown, sweep(shown) as one:
        one.progress.boards = {name: one.progress.boards[name] for name in BOARDS[:3]}
        one.takes(*(one.told(name, STARTED) for name in BOARDS[:3]))
        one.painter.say(Row("something"))
        one.is_painted()
        for columns in (70, 50, 35):
            with one.painter._lock:
                shown.hear_all()
                shown.resize(columns, 24)
            one.is_painted()
            assert shown.lines[0] == "something"
            assert sum(line.startswith("tx2-01 ") for line in shown.lines) == 1, shown.text


def test_a_question_has_the_terminal_for_itself() -> None:
    """Nothing is painted until it is answered; what was said meanwhile comes then."""
    with terminal() as shown, sweep(shown) as one:
        one.is_painted()
        with one.painter.paused():
            shown.hear_all()
            assert shown.text == ""
            one.painter.say(Row("meanwhile"))
            os.write(shown.theirs, b"password: \n")
            one.takes(one.told("tx2-01", STARTED))
        one.is_painted()
        assert shown.lines[:2] == ["password:", "meanwhile"]


def test_what_does_not_change_is_not_painted_again() -> None:
    """A display that nothing happens on is silent, and one that changes does not blink."""
    with terminal() as shown, sweep(shown) as one:
        one.is_painted()
        one.takes(one.told("tx2-01", STARTED))
        one.is_painted()
        # It is written over, line by line: nothing is erased that is there afterwards.
        _, _, over = shown.said.partition(b"\x1b[?7l")
        _, _, second = over.partition(b"\r\x1b[18A")
        assert second.startswith(b"\x1b[?7l")
        with one.painter._lock:
            assert one.painter._change(one.rows(79, 18)) == ""


@pytest.mark.parametrize(
    ("variables", "moves", "colours"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": ""}, False, False),
    ],
)
def test_what_a_terminal_can(
    variables: dict[str, str],
    moves: bool,  # noqa: FBT001 - pytest's
    colours: bool,  # noqa: FBT001 - pytest's
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By $TERM and $NO_COLOR; a file can nothing."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with terminal() as shown, os.fdopen(os.dup(shown.theirs), "w") as stream:
        assert (can_move(stream), has_colours(stream)) == (moves, colours)
    with Path(os.devnull).open("w") as file:
        assert (can_move(file), has_colours(file)) == (False, False)


@pytest.mark.parametrize("no_color", ["", "1"])
def test_problems_are_red_where_colours_are_wanted(
    no_color: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no letter has any colour with NO_COLOR."""
    monkeypatch.setenv("NO_COLOR", no_color)
    with terminal() as shown, sweep(shown) as one:
        one.takes(Finished("tx2-50", BoardAnswerError("no answer")))
        one.is_painted()
        assert shown.colours == ({"default"} if no_color else {"default", "red"})
        assert (b"\x1b[0m" in shown.said) is not bool(no_color)


def test_a_terminal_that_goes_away_does_not_end_the_sweep() -> None:
    """Somebody has closed the window: nothing more is painted."""
    shown = Terminal()
    with suppress(OSError), sweep(shown) as one:
        one.is_painted()
        shown.close()
        one.painter.say(Row("nobody reads that"))
        one.takes(one.told("tx2-01", STARTED))
