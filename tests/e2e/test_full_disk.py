"""The host's disk is full in the middle of a sweep: the boards keep what could not be stored."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions
from tests.e2e.program import WITHIN_S, Done, Program, at_rest, power_state, wait_until
from tests.virtual.helpers import processes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SWEEP = ("run", "bvlc_alexnet", "--repeats", "4", "--iterations", "2", "--warm-up", "0")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """Two boards; each trial adds some 7 KiB to a journal."""
    options = BoardOptions(time_scale=0.0)
    with VirtualFleet(2, tmp_path_factory.mktemp("fleet"), options) as served:
        (served.directory / "inventory.yaml").write_text(served.inventory_text())
        yield served


def run_limited(program: Program, kib: int, *words: str) -> Done:
    """The sweep, by a process that cannot write a larger file."""
    limited = ["/bin/sh", "-c", 'ulimit -f $0; exec "$@"', str(2 * kib)]
    done = subprocess.run(
        [*limited, *program.command(*SWEEP, *words)],
        cwd=program.folder,
        env=program.environment,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


@contextmanager
def mounted(folder: Path, kib: int) -> Iterator[None]:
    """A small disk at this place."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={kib}k,mode=700", "small"]
    if os.geteuid() or subprocess.run(["mount", *options, folder], check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def assert_kept_on_the_boards(fleet: VirtualFleet, done: Done, words: str) -> None:
    """The boards are restored and idle, their journals whole, and the message says the rest."""
    assert done.status == 1
    assert words in done.err
    (sweep,) = set(re.findall(r"jetbench-results/([\w-]+)/", done.err))
    hint = done.err[done.err.rindex("hint: ") :].replace("\n", " ")
    assert "virt-01, virt-02" in hint
    assert "free some space" in hint
    assert f"jetbench run --resume {sweep}" in hint
    wait_until(lambda: not any(processes_of(board.root) for board in fleet.boards))
    for board in fleet.boards:
        journal = (board.home / ".jetbench/sweeps" / sweep / "journal").read_text()
        begun = re.findall(r"^@trial id=(\d+)", journal, re.MULTILINE)
        assert begun == re.findall(r"^@done id=(\d+)", journal, re.MULTILINE)
        assert begun == list("1234")[: len(begun)]
        assert "\n@end reason=" in journal
        assert "\n@guard state=restored" in journal
        shutil.rmtree(board.home / ".jetbench")
        assert at_rest(board)


@pytest.mark.parametrize("words", [(), ("-q",)])
def test_a_journal_that_cannot_be_stored_stays_on_its_board(
    jetbench: Program, fleet: VirtualFleet, words: tuple[str, ...]
) -> None:
    """The error names the file, and the hint the boards and the next step; also with -q."""
    before = [power_state(board) for board in fleet.boards]
    done = run_limited(jetbench, 12, *words)
    assert_kept_on_the_boards(fleet, done, "cannot be written: File too large")
    assert [power_state(board) for board in fleet.boards] == before


def test_a_small_disk_fills_up(jetbench: Program, fleet: VirtualFleet) -> None:
    """The same where it is the disk, and not a limit."""
    before = [power_state(board) for board in fleet.boards]
    with mounted(jetbench.results, 40):
        done = jetbench(*SWEEP)
    assert_kept_on_the_boards(fleet, done, "cannot be written: No space left on device")
    assert [power_state(board) for board in fleet.boards] == before


def test_where_only_the_logs_do_not_fit_the_journals_are_here(
    jetbench: Program, fleet: VirtualFleet
) -> None:
    """Nothing is left on the boards; the hint says that nothing is lost, and the next step."""
    with mounted(jetbench.results, 116):
        done = jetbench(*SWEEP)
        journals = [path.read_text() for path in jetbench.sweep().glob("journals/*")]
    assert done.status == 1
    assert "cannot be written: No space left on device" in done.err
    hint = done.err[done.err.rindex("hint: ") :].replace("\n", " ")
    assert "all journals are here" in hint
    assert "jetbench run --resume" in hint
    assert [len(re.findall("^@done ", text, re.MULTILINE)) for text in journals] == [4, 4]
    assert all(at_rest(board) for board in fleet.boards)
