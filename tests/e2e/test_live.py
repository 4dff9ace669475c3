"""A sweep on three boards, before a person at a terminal: how it looks, resized, interrupted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions
from tests.e2e.program import WITHIN_S, Program, at_rest, wait_until
from tests.screens import Terminal, terminal
from tests.store.nights import document, record, sweep_id
from tests.virtual.helpers import processes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = ("run", "bvlc_alexnet", "bvlc_googlenet", "--repeats", "40", "--format", "json")
SHORT = ("run", "bvlc_alexnet", "bvlc_googlenet", "--repeats", "2")
LINE = re.compile(
    r"^virt-0[123] \[[#-]{10}\] +\d+/80 (bvlc_alexnet|bvlc_googlenet) \d+/40 +"
    r"\d+ °C 1300 MHz +\d+:\d\d$",
    re.MULTILINE,
)
AT_THE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes it the terminal of the program, so that Ctrl-C there is a signal."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """Three boards that take a while."""
    option = BoardOptions(time_scale=0.05)
    with VirtualFleet(3, tmp_path_factory.mktemp("fleet"), option) as served:
        (served.directory / "inventory.yaml").write_text(served.inventory_text())
        yield served


@contextmanager
def running(
    program: Program, shown: Terminal, *arguments: str, **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """The program, with this terminal for everything."""
    environment = {**program.environment, "TERM": "xterm-256color", **variables}
    command = [sys.executable, "-c", AT_THE_TERMINAL, *program.command(*arguments)]
    with subprocess.Popen(
        command,
        cwd=program.folder,
        env={name: text for name, text in environment.items() if name not in {"COLUMNS", "LINES"}},
        stdin=shown.theirs,
        stdout=shown.theirs,
        stderr=shown.theirs,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[bytes], shown: Terminal) -> int:
    """Its exit code, once the terminal shows all that it has said."""
    shown.wait_for(lambda: process.poll() is not None)
    status = process.wait(WITHIN_S)
    shown.hear_all()
    return status


@contextmanager
def frozen(pids: list[str]) -> Iterator[None]:
    """Processes that do nothing for a while."""
    _signal(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(pids, signal.SIGCONT)


def _signal(pids: list[str], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(int(pid), number)


def all_lines(shown: Terminal) -> bool:
    """Whether three boards run, in full lines, with a sum below them."""
    return len(LINE.findall(shown.text)) == 3 and shown.text.count("0 of 3 boards done") == 1


def test_every_board_has_a_line_and_ctrl_c_leaves_a_clean_terminal(
    jetbench: Program, fleet: VirtualFleet
) -> None:
    """What runs, which trial of how many, how warm, at which clock, how long; at any size.

    Ctrl-C ends the sweep, and leaves no piece of the display behind.
    """
    with terminal() as shown, running(jetbench, shown, *LONG, "-o", "out.json") as process:
        shown.wait_for(lambda: all_lines(shown))
        for columns, lines in ((120, 40), (70, 20), (80, 24)):
            shown.resize(columns, lines)
            shown.wait_for(lambda: all_lines(shown))
            assert shown.text.count("virt-02 [") == 1
        shown.type("\x03")
        shown.wait_for(lambda: "SIGINT: ending the trials that run" in shown.text)
        assert ended(process, shown) == 130
    assert "[" not in shown.text
    assert "boards done" not in shown.text
    assert "^C" not in shown.text
    *said, last = shown.text.split("\n")
    assert said[0].startswith("SIGINT: ending the trials")
    assert last.startswith("Kept in jetbench-results/")
    assert shown.cursor[1:] == (0, True)
    assert all(at_rest(board) for board in fleet.boards)


def test_ctrl_c_twice_leaves_a_clean_terminal_too(jetbench: Program, fleet: VirtualFleet) -> None:
    """At once: what it says is whole, the display is gone, the cursor is to be seen."""
    with terminal() as shown, running(jetbench, shown, *SHORT) as process:
        shown.wait_for(lambda: re.search(r"virt-01 .* [12]/2 ", shown.text) is not None)
        # A board that hangs: else the trials may have ended before the second Ctrl-C.
        with frozen(processes_of(fleet.boards[0].root)):
            shown.type("\x03")
            shown.wait_for(lambda: "SIGINT: ending" in shown.text)
            shown.type("\x03")
            assert ended(process, shown) == 130
    said = "".join(shown.lines)
    assert re.search(r"SIGINT: left at once; the boards go on alone.* attach [0-9a-f-]+$", said)
    assert "virt-01 [" not in shown.text
    assert shown.cursor[1:] == (0, True)
    wait_until(lambda: not any(processes_of(board.root) for board in fleet.boards))


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"TERM": ""}])
def test_a_terminal_that_can_do_nothing_gets_plain_lines(
    jetbench: Program, variables: dict[str, str]
) -> None:
    """A line an event, and no sequence that it would not understand."""
    with terminal(columns=120) as shown, running(jetbench, shown, *SHORT, **variables) as process:
        assert ended(process, shown) == 0
    assert b"\x1b" not in shown.said
    assert re.search(rb"virt-01: 4/4 \w+, 2 of 2: done in [\d.]+ s\r\n", shown.said)


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}], ids=["colours", "NO_COLOR"])
def test_a_doubtful_row_has_a_colour_on_a_terminal(
    jetbench: Program, variables: dict[str, str]
) -> None:
    """The table of a kept sweep; without colours the question mark says it alone."""
    (folder := jetbench.results / sweep_id(1)).mkdir(parents=True)
    kept = document(1, [record(9.0), record(9.5, status="suspect")])
    (folder / "result.json").write_text(kept)
    with terminal() as shown, running(jetbench, shown, "results", "show", **variables) as process:
        assert ended(process, shown) == 0
    assert "9.500 ms ± 1.0 % ?" in shown.text
    assert ("brown" in shown.colours) is not bool(variables)
