"""What Caffe and a board can do in the middle of a sweep: nothing is lost, nothing counts twice.

One sweep over many boards, each with another fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions, Faults
from tests.e2e.program import Done, Program, at_rest, inventory_for, power_state, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRIALS = 3
# A warm-up is the first run that a board counts: its third is the second trial.
FAILING: dict[str, tuple[Faults, str, str]] = {
    "a check of Caffe's": (Faults(aborts_at=3), "cuda", "unspecified launch failure"),
    "a segmentation fault": (Faults(crashes_at=3), "crashed", "SIGSEGV"),
    "status 1": (Faults(exits_at=3), "crashed", "exit status 1 and no message"),
    "killed for memory": (Faults(killed_at=3), "killed", "the board ran out of memory"),
    "an endless log": (Faults(endless_log_at=3), "crashed", "its log grew too large"),
    "silence": (Faults(silent_at=3), "not_caffe", "it is empty"),
    "clock set back, on the CPU": (Faults(clock_falls_at=3), "truncated", "is no time: -"),
}
DOUBTFUL = {
    "clock set ahead": Faults(clock_jumps_at=3),
    "clock set back": Faults(clock_falls_at=3),
    "clock set ahead, on the CPU": Faults(clock_jumps_at=3),
}
GOOD = {
    "good": Faults(),
    "clock set ahead between trials": Faults(clock_jumps_after=3),
    "clock set back between trials": Faults(clock_falls_after=3),
    "no sudo once the guard runs": Faults(sudo_stops_after=2),
}
NO_GUARD = "no sudo for the guard"
BOARDS: dict[str, Faults] = {
    **GOOD,
    **DOUBTFUL,
    **{name: faults for name, (faults, _, _) in FAILING.items()},
    NO_GUARD: Faults(sudo_stops_after=1),
}


@dataclass(frozen=True)
class Swept:
    """A sweep that is over, and how the boards were before."""

    fleet: VirtualFleet
    names: tuple[str, ...]
    before: tuple[tuple[str, ...], ...]
    done: Done
    folder: Path

    def name(self, what: str) -> str:
        return f"virt-{self.names.index(what) + 1:02d}"

    def record(self, what: str) -> dict[str, Any]:
        (record,) = (r for r in self.done.document["records"] if r["board"] == self.name(what))
        return dict(record)

    def board(self, what: str) -> dict[str, Any]:
        return dict(self.done.document["boards"][self.name(what)])

    def assert_nothing_is_left(self) -> None:
        """Power as before, no process, no folder, a free lock, and the program says so."""
        for what, board, before in zip(self.names, self.fleet.boards, self.before, strict=True):
            wait_until(partial(at_rest, board))
            assert power_state(board) == before, what
            told = self.board(what)
            assert told["restored"] is (True if told["reached"] else None), what
            assert told["notes"] == [], what

    def assert_each_trial_once(self, what: str) -> None:
        """In the journal, and in the record."""
        journal = (self.folder / "journals" / self.name(what)).read_text()
        for word in ("@trial", "@done"):
            ran = re.findall(rf"^{word} id=(\d+)", journal, re.MULTILINE)
            assert ran == [str(number) for number in range(TRIALS + 1)], what
        record = self.record(what)
        assert [trial["id"] for trial in record["trials"]] == list(range(1, TRIALS + 1))
        numbers = [trial for trial in record["trials"] if trial["failure"] is None]
        assert record["forward_ms"]["n"] == len(numbers)


def swept(boards: dict[str, Faults], fleet: VirtualFleet, folder: Path, *options: str) -> Swept:
    """Measure on all of them at once."""
    names = tuple(boards)
    changes = {
        board.name: {"gpu": "none"}
        for what, board in zip(names, fleet.boards, strict=True)
        if what.endswith("on the CPU")
    }
    inventory = inventory_for(fleet, folder / "inventory.yaml", changes)
    before = tuple(power_state(board) for board in fleet.boards)
    program = Program(folder, inventory)
    words = ("--repeats", str(TRIALS), "--iterations", "2", "--format", "json", *options)
    done = program("run", "bvlc_alexnet", *words)
    return Swept(fleet, names, before, done, program.sweep())


def served(boards: dict[str, Faults], folder: Path) -> VirtualFleet:
    """A board for each fault."""
    options = [
        BoardOptions(faults=faults, time_scale=0, seed=number)
        for number, faults in enumerate(boards.values(), start=1)
    ]
    return VirtualFleet(len(options), folder, options)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swept]:
    """One over all boards, for all tests of how a run can end."""
    with served(BOARDS, tmp_path_factory.mktemp("faulty")) as fleet:
        yield swept(BOARDS, fleet, tmp_path_factory.mktemp("sweep"))


@pytest.mark.parametrize("what", GOOD)
def test_what_disturbs_no_trial_is_no_fault(sweep: Swept, what: str) -> None:
    """All is measured, and nothing is doubtful."""
    record = sweep.record(what)
    assert record["findings"] == []
    assert record["status"] == "ok", record["reasons"]
    assert record["forward_ms"]["n"] == TRIALS
    sweep.assert_each_trial_once(what)


@pytest.mark.parametrize("what", FAILING)
def test_a_run_that_ends_badly_costs_itself_alone(sweep: Swept, what: str) -> None:
    """It failed, and says why; those before and after it count."""
    _, kind, words = FAILING[what]
    record = sweep.record(what)
    first, second, third = record["trials"]
    assert first["failure"] is third["failure"] is None
    assert (second["failure"]["kind"], second["lost"]) == (kind, False), second["failure"]
    assert words in second["failure"]["message"]
    assert record["status"] == "suspect"
    assert words in record["reasons"][0]
    assert sweep.board(what)["error"] is None
    sweep.assert_each_trial_once(what)


@pytest.mark.parametrize("what", DOUBTFUL)
def test_a_clock_that_is_set_in_a_trial_is_found(sweep: Swept, what: str) -> None:
    """Whatever Caffe made of it, the number is not believed, and no other finding is due to it.

    What the sensors said is not cut to a window that is none.
    """
    record = sweep.record(what)
    assert record["status"] == "suspect"
    (finding,) = record["findings"]
    assert finding["check"] == "clock"
    assert "trial 2 of 3" in finding["evidence"]
    assert finding["advice"]
    sweep.assert_each_trial_once(what)


def test_sudo_that_stops_before_the_guard_measures_nothing(sweep: Swept) -> None:
    """The board's error says what sudo said, and what to do."""
    board = sweep.board(NO_GUARD)
    assert "a password is required" in board["error"]
    assert "mend sudo there" in board["hint"]
    assert sweep.record(NO_GUARD)["status"] == "lost"


def test_every_board_is_as_it_was(sweep: Swept) -> None:
    """Exit code 1; nothing is left behind by any of them."""
    assert sweep.done.status == 1
    sweep.assert_nothing_is_left()


LATE: dict[str, Faults] = {
    "good": Faults(),
    "hangs": Faults(hangs_at=3),
    "hangs in silence": Faults(silent_hang_at=3),
    "slow": Faults(slow=3000),
    "rubbish": Faults(rubbish=True),
    "off": Faults(stays_off=True),
    "good, too": Faults(),
}
LIMIT_S = 6
"""For a trial: one that hangs does not listen, and is killed 5 s later."""


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swept]:
    """One over boards that keep others waiting, if they can."""
    with served(LATE, tmp_path_factory.mktemp("late")) as fleet:
        yield swept(LATE, fleet, tmp_path_factory.mktemp("sweep"), "--timeout", str(LIMIT_S))


@pytest.mark.parametrize("what", ["hangs", "hangs in silence"])
def test_a_run_that_hangs_is_killed_on_the_board(late: Swept, what: str) -> None:
    """It costs its own time limit; those before and after it count."""
    first, second, third = late.record(what)["trials"]
    assert first["failure"] is third["failure"] is None
    assert second["failure"]["kind"] == "timeout"
    assert f"ended after {LIMIT_S} s" in second["failure"]["message"]
    assert second["lost"] is False
    late.assert_each_trial_once(what)


@pytest.mark.parametrize("what", ["good", "good, too", "slow"])
def test_boards_that_answer_measure_all(late: Swept, what: str) -> None:
    """However slow their answers come, and whatever becomes of the others."""
    assert late.record(what)["status"] == "ok", late.record(what)["reasons"]
    assert late.board(what)["error"] is None
    late.assert_each_trial_once(what)


def test_nobody_waits_for_the_slow(late: Swept) -> None:
    """The good ones have ended before those that keep us waiting have."""
    lines = late.done.err.splitlines()
    ended = [lines.index(f"{late.name(what)}: done") for what in ("good", "good, too")]
    slow = [lines.index(f"{late.name(what)}: done") for what in ("hangs", "slow")]
    assert max(ended) < min(slow)


@pytest.mark.parametrize(
    ("what", "words"),
    [("rubbish", "its answer cannot be understood"), ("off", "refuses the connection")],
)
def test_a_board_that_cannot_be_talked_to_is_lost(late: Swept, what: str, words: str) -> None:
    """With one line that says why; nothing has been started there."""
    board = late.board(what)
    assert words in board["error"]
    assert board["error"].isprintable()
    assert late.record(what)["status"] == "lost"
    assert board["changed"] is False


def test_every_late_board_is_as_it_was(late: Swept) -> None:
    """Exit code 1; nothing is left behind by any of them."""
    assert late.done.status == 1
    late.assert_nothing_is_left()
