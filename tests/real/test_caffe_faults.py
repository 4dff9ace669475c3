"""What real Caffe can do in the middle of a sweep, or have done to it: one sweep for all.

On the first board the test sends signals to Caffe; on the second a script stands in its place,
which does something else each time it is run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.real.program import (
    Done,
    Sweep,
    await_trial,
    left_on,
    power_of,
    processes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real.conftest import RealBoard, RealBoards

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root on this machine")
MODEL = "bvlc_alexnet"
TRIALS = 5
LIMIT_S = 15
"""For a trial; only one comes near it, which is stopped."""
COMPILER = shutil.which("cc")
YEARS_S = 98_064_000
"""Three years and forty days."""
ODD_CAFFE = f"""#!/bin/sh
[ "$1" = time ] || exec /usr/bin/caffe "$@"
echo >>~/runs
case $(wc -l <~/runs) in
1) exec yes 'W0101 00:00:00.000000 1 data.cpp:1] again' >&2 ;;
2) exit 0 ;;
3) exit 1 ;;
4)  # While it iterates, somebody sets the clock.
    (
        for _ in $(seq 1000); do
            grep -q 'Iteration: 1 ' /proc/$$/fd/2 && break
            sleep 0.02
        done
        echo {YEARS_S} >~/clock-offset
    ) &
    exec /usr/bin/caffe "$@" ;;
*) exec /usr/bin/caffe "$@" ;;
esac
"""


@dataclass(frozen=True)
class Swept:
    """A sweep that is over."""

    done: Done
    killed: RealBoard
    odd: RealBoard
    before: tuple[str, ...]

    def trials(self, board: RealBoard) -> list[dict[str, Any]]:
        trials: list[dict[str, Any]] = self.done.records[board.name, MODEL]["trials"]
        return trials


def signal_caffe(board: RealBoard, number: int, name: str) -> None:
    """Send a signal to Caffe in the middle of a trial, as root or the kernel does it."""
    await_trial(board, number)
    pids = [
        str(pid)
        for pid, line in processes(board).items()
        if line.startswith(("/usr/bin/caffe time", "caffe time"))
    ]
    assert len(pids) == 1
    assert board.run_as_root(f"kill -{name} {pids[0]}").returncode == 0


def with_odd_caffe(boards: RealBoards, board: RealBoard, folder: Path) -> Path:
    """Put a script in Caffe's place on one board; the inventory that names it."""
    put = "cat >odd-caffe && chmod 755 odd-caffe"
    assert board.run(put, stdin=ODD_CAFFE).returncode == 0
    variables = {"OPENBLAS_NUM_THREADS": "1"}
    if COMPILER:
        library = folder / "clock.so"
        source = Path(__file__).with_name("clock.c")
        command = [COMPILER, "-shared", "-fPIC", "-O1", "-o", str(library), str(source)]
        subprocess.run(command, check=True, timeout=60)
        shutil.copy(library, board.root / "home/nvidia/clock.so")
        variables["LD_PRELOAD"] = "/home/nvidia/clock.so"
    given = ", ".join(f'{name}: "{value}"' for name, value in variables.items())
    entry = f"  {board.name}:\n"
    text = boards.inventory.read_text(encoding="utf-8")
    assert entry in text
    more = f"    caffe: /home/nvidia/odd-caffe\n    env: {{{given}}}\n"
    inventory = folder / "inventory.yaml"
    inventory.write_text(text.replace(entry, entry + more), encoding="utf-8")
    return inventory


@pytest.fixture(scope="module")
def swept(real_boards: RealBoards, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swept]:
    """One sweep, in which everything happens."""
    killed, odd = real_boards.boards[:2]
    folder = tmp_path_factory.mktemp("odd")
    before = (power_of(killed), power_of(odd))
    assert not any("MAXN" in power for power in before), "the mode that they are measured in"
    inventory = with_odd_caffe(real_boards, odd, folder)
    options = ("--iterations", "2", "--repeats", str(TRIALS), "--warm-up", "0")
    limits = ("--timeout", str(LIMIT_S), "--cooldown", "off")
    try:
        with Sweep(
            inventory, folder / "results", MODEL, "--gpu", "none", *options, *limits,
            "--board", killed.name, "--board", odd.name,
        ) as sweep:  # fmt: skip
            signal_caffe(killed, 1, "KILL")
            signal_caffe(killed, 2, "SEGV")
            signal_caffe(killed, 3, "STOP")
            done = sweep.done()
        yield Swept(done, killed, odd, before)
    finally:
        odd.run("rm -f odd-caffe runs clock.so clock-offset")


def test_caffe_is_killed_crashes_and_hangs(swept: Swept) -> None:
    """By the kernel, by a fault of its own, and until its time is up; what comes then counts."""
    trials = swept.trials(swept.killed)
    kinds = [trial["failure"] and trial["failure"]["kind"] for trial in trials]
    assert kinds == ["killed", "crashed", "timeout", None, None]
    messages = [trial["failure"]["message"] for trial in trials[:3]]
    assert "ran out of memory" in messages[0]
    assert "SIGSEGV" in messages[1] or "Segmentation fault" in messages[1]
    assert f"ended after {LIMIT_S} s" in messages[2]
    assert swept.done.records[swept.killed.name, MODEL]["forward_ms"]["n"] == 2


def test_caffe_floods_is_silent_and_gives_up(swept: Swept) -> None:
    """Each says what it was; a log without end is cut, and is kept as evidence."""
    trials = swept.trials(swept.odd)
    failures = [trial["failure"] for trial in trials[:3]]
    assert [failure["kind"] for failure in failures] == ["crashed", "not_caffe", "crashed"]
    assert "its log grew too large" in failures[0]["message"]
    assert "it is empty" in failures[1]["message"]
    assert "exit status 1" in failures[2]["message"]
    assert [trial["lost"] for trial in trials] == [False] * TRIALS
    (log,) = swept.done.folder.glob(f"logs/{swept.odd.name}/001-*.log")
    assert log.stat().st_size == 16 * 2**20
    assert trials[4]["failure"] is None


@pytest.mark.skipif(COMPILER is None, reason="needs a C compiler on this machine")
def test_a_clock_that_jumps_falsifies_real_times(swept: Swept) -> None:
    """Caffe takes three years for the time that a layer took; nobody believes it."""
    record = swept.done.records[swept.odd.name, MODEL]
    fourth, fifth = record["trials"][3:]
    assert fourth["total_ms"] == pytest.approx(YEARS_S * 1e3, rel=0.01)
    assert record["status"] == "suspect"
    (finding,) = [each for each in record["findings"] if each["check"] == "clock"]
    assert "trial 4 of 5: the board's clock was set 1135 days ahead" in finding["evidence"]
    assert fifth["total_ms"] < LIMIT_S * 1e3


def test_every_trial_is_there_once_and_nothing_is_left(swept: Swept) -> None:
    """Exit code 1; power as before, no process, no folder, and a free lock."""
    assert swept.done.status == 1, swept.done.said
    for board, before in zip((swept.killed, swept.odd), swept.before, strict=True):
        told = swept.done.document["boards"][board.name]
        assert (told["error"], told["restored"], told["notes"]) == (None, True, [])
        kept = (swept.done.folder / "journals" / board.name).read_bytes()
        for word in (b"trial", b"done"):
            ran = re.findall(rb"^@%b id=(\d+)" % word, kept, re.MULTILINE)
            assert ran == [b"%d" % number for number in range(1, TRIALS + 1)]
        assert [trial["id"] for trial in swept.trials(board)] == list(range(1, TRIALS + 1))
        assert left_on(board) == []
        assert power_of(board) == before
        assert board.run("flock -n /etc true").returncode == 0
