"""Boards on which somebody has prepared the places that are ours; an open umask."""

from __future__ import annotations

import os
import shlex
import stat
from typing import TYPE_CHECKING

import pytest

from tests.real.program import Done, Sweep, await_trial, jetbench, left_on, power_of
from tests.real.test_least_sudo import as_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real.conftest import RealBoard, RealBoards, StartBoards

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root on this machine")
MODEL = ("bvlc_alexnet", "--gpu", "none", "--iterations", "2", "--repeats", "1", "--warm-up", "0")
OURS = "/home/nvidia/.jetbench"
STATE = "/var/lib/jetbench"
TRAP = "mkdir /home/trap && echo 1 >/home/trap/mode && echo precious >/home/trap/clocks"
TRAPS = {
    "a link for our folder": (f"ln -s /home/trap {OURS}", "is not a folder of nvidia"),
    "another user's for our folder": (
        f"install -d -o daemon -m 777 {OURS}",
        "is not a folder of nvidia",
    ),
    "a link for the sweeps": (
        f"install -d -o nvidia {OURS} && ln -s /home/trap {OURS}/sweeps",
        "is not a folder of nvidia",
    ),
    "another user's for the sweeps": (
        f"install -d -o nvidia {OURS} && install -d -o daemon -m 777 {OURS}/sweeps",
        "is not a folder of nvidia",
    ),
    "a link for the saved state": (f"ln -s /home/trap {STATE}", "is a link"),
    "the user's for the saved state": (
        f"install -d -o nvidia {STATE} && echo 1 >{STATE}/mode",
        "is not of root",
    ),
    "an open saved state": (
        f"install -d -m 777 {STATE} && echo 1 >{STATE}/mode",
        "may be written by others",
    ),
}


@pytest.fixture(scope="module")
def boards(start_boards: StartBoards) -> RealBoards:
    """One board that only these tests use."""
    return start_boards(1)


@pytest.fixture
def board(boards: RealBoards) -> Iterator[RealBoard]:
    """It, with a folder to lead into, and without it afterwards."""
    (board,) = boards.boards
    assert as_root(board, f"{TRAP} && chmod 777 /home/trap").returncode == 0
    yield board
    as_root(board, f"rm -rf /home/trap {OURS} {STATE}")
    assert left_on(board) == []


def sweep(boards: RealBoards, results: Path) -> Done:
    """A short one."""
    words = ("-i", boards.inventory, "--results", results, "--format", "json")
    return jetbench("run", *MODEL, *words)


@pytest.mark.parametrize("what", TRAPS)
def test_what_somebody_has_prepared_is_refused(
    board: RealBoard, boards: RealBoards, tmp_path: Path, what: str
) -> None:
    """With the reason; nothing is written to it, restored from it, or deleted in it."""
    before = power_of(board)
    make, reason = TRAPS[what]
    made = as_root(board, make)
    assert made.returncode == 0, made.stderr
    done = sweep(boards, tmp_path)
    assert done.status == 3
    assert reason in done.document["boards"][board.name]["error"]
    assert power_of(board) == before
    kept = as_root(board, "ls -A /home/trap; cat /home/trap/*").stdout.split()
    assert kept == ["clocks", "mode", "precious", "1"]


def test_links_for_our_files_are_not_written_through(
    board: RealBoard, boards: RealBoards, tmp_path: Path
) -> None:
    """They are replaced, and the sweep runs."""
    links = f"install -d -o nvidia {OURS} && ln -s /home/trap/mode {OURS}/holder"
    as_root(board, f"{links} && chmod 777 {OURS} && chmod 666 /home/trap/*")
    assert sweep(boards, tmp_path).status == 0
    assert as_root(board, "cat /home/trap/*").stdout.split() == ["precious", "1"]


def test_files_are_private_with_a_umask_of_0(
    board: RealBoard, boards: RealBoards, tmp_path: Path
) -> None:
    """Ours on the board, root's, and what is kept here: 0600, folders 0700 (root's one 0711)."""
    first = shlex.quote("umask 0\n")
    board.run(f"cp .bashrc keep; {{ printf %s {first}; cat keep; }} >.bashrc")
    before = os.umask(0)
    try:
        assert board.run("umask").stdout.strip() == "0000"
        with Sweep(boards.inventory, tmp_path / "results", *MODEL) as running:
            await_trial(board, 1)
            places = f"{OURS} {STATE}"
            seen = as_root(board, f"find {places} -printf '%m %u %y %p\\n'").stdout
            done = running.done()
    finally:
        os.umask(before)
        board.run("mv keep .bashrc")
    assert done.status == 0, done.said
    lines = [line.split() for line in seen.splitlines()]
    assert {path for *_, path in lines} > {f"{OURS}/sweeps", f"{STATE}/mode", f"{STATE}/telemetry"}
    for mode, user, kind, path in lines:
        expected = "711" if path == STATE else "700" if kind == "d" else "600"
        assert mode == expected, path
        of_user = path.startswith(OURS) or path == f"{STATE}/telemetry"
        assert user == ("nvidia" if of_user else "root"), path
    for here in (tmp_path / "results", *(tmp_path / "results").rglob("*")):
        wanted = 0o700 if here.is_dir() else 0o600
        assert stat.S_IMODE(here.stat().st_mode) == wanted, here
