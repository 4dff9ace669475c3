"""A board whose disk is full, of bytes or of files: at the start, and in the middle of a trial."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import NotReadyError
from jetbench.remote.session import Session
from tests.remote.sweeping import SWEEP, drain, drain_until, parcel, read, states, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jetbench.remote.session import Follower
    from tests.remote.folder_board import Board

    Mount = Callable[[str], Path]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


@pytest.fixture
def mount(board: Board) -> Iterator[Mount]:
    """Puts a small disk of a certain size where sweeps lie on the board."""
    folder = board.home / ".jetbench"
    folder.mkdir(mode=0o700)

    def mounted(size: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"{size},mode=700", "small", str(folder)]
        if subprocess.run(command, check=False).returncode:
            pytest.skip("nothing can be mounted here")
        return folder

    yield mounted
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> int:
    """Take all files that there can be; how many that were."""
    number = 0
    try:
        while True:
            (folder / f"ballast-{number}").touch(exist_ok=False)
            number += 1
    except OSError:
        return number


def fill_bytes(file: Path) -> None:
    """Take all the bytes that there are."""
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        while ballast.write(b"x" * 4096):
            pass


def start_or_not(board: Board) -> Follower | NotReadyError:
    """A sweep, or why there is none."""
    try:
        return Session(board.link()).start(parcel(board), password=None)
    except NotReadyError as error:
        return error


def assert_free(board: Board) -> None:
    """The board is as before, and its lock is free."""
    assert (board.mode, board.locked) == ("3", False)
    assert not (board.root / "var/lib/jetbench").exists()
    # What runs there may take a moment to be gone.
    subprocess.run(["flock", "--timeout", "10", str(board.root / "etc"), "true"], check=True)


@pytest.mark.parametrize("left", [0, 1, 2, 3, 5, 8, 11])
def test_no_files_left_at_the_start_is_told(board: Board, mount: Mount, left: int) -> None:
    """Also where some of the sweep's files can be made: what was is removed, and nothing runs."""
    folder = mount(f"nr_inodes={left + 3}")
    (folder / "own").touch()
    (folder / "sweeps").mkdir()
    with pytest.raises(NotReadyError) as raised:
        Session(board.link()).start(parcel(board), password=None)
    told = raised.value.message
    assert "No space left on device" in told or "B and 0 files are free" in told
    # The answer comes before what was made is removed.
    wait_for(lambda: [path.name for path in folder.rglob("*")] == ["own"])
    assert_free(board)


@pytest.mark.parametrize("left", range(12, 28))
def test_files_run_out_as_the_sweep_begins(board: Board, mount: Mount, left: int) -> None:
    """It is refused, or ends with that reason, or has all that it needs: never half a sweep."""
    folder = mount(f"nr_inodes={left + 3}")
    (folder / "own").touch()
    (folder / "sweeps").mkdir()
    follower = start_or_not(board)
    if isinstance(follower, NotReadyError):
        assert "files are free" in follower.message
        assert "in the home" in (follower.hint or "")
    else:
        guard, trials, end = read(drain(follower))
        good = [trial.id for trial in trials if trial.problem is None]
        assert (end, good) in (("no-space", []), ("finished", [1, 2]))
        assert set(states(guard)) <= {"ready", "restored"}
        follower.forget()
    wait_for(lambda: [path.name for path in folder.rglob("*")] == ["own"])
    assert_free(board)


@pytest.mark.parametrize(
    ("kind", "reason", "good"), [("trial", "no-space", []), ("done", "finished", [1, 2])]
)
def test_files_run_out_in_the_middle_of_a_trial(
    board: Board, mount: Mount, kind: str, reason: str, good: list[int]
) -> None:
    """A sweep has all the files that it needs once its first trial is done."""
    folder = mount("nr_inodes=64")
    (board.home / "seconds").write_text("1")
    follower = Session(board.link()).start(parcel(board), password=None)
    data = drain_until(follower, kind)
    assert fill(folder) > 0
    guard, trials, end = read(data + drain(follower))
    assert end == reason
    assert [trial.id for trial in trials if trial.problem is None] == good
    assert states(guard)[-1] == "restored"
    follower.forget()
    assert not (folder / "sweeps" / SWEEP).exists()
    assert_free(board)


def test_bytes_run_out_in_the_middle_of_a_trial(board: Board, mount: Mount) -> None:
    """What was measured before counts, and it is said why there is no more."""
    folder = mount("size=256k")
    (board.home / "seconds").write_text("1")
    follower = Session(board.link()).start(parcel(board, trials=3), password=None)
    data = drain_until(follower, "done")
    fill_bytes(folder / "ballast")
    _, trials, end = read(data + drain(follower))
    assert end == "no-space"
    assert trials[0].problem is None
    assert len(trials) < 3
    follower.forget()
    assert not (folder / "sweeps" / SWEEP).exists()
    assert_free(board)


def test_a_guard_outlives_a_full_disk(board: Board) -> None:
    """What the sensors say cannot be kept; what it has changed is put back all the same."""
    folder = board.root / "var/lib"
    command = ["mount", "-t", "tmpfs", "-o", "nr_inodes=5,mode=755", "small", str(folder)]
    if subprocess.run(command, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        follower = Session(board.link()).start(parcel(board, TELEMETRY="1"), password=None)
        guard, trials, end = read(drain(follower))
        follower.forget()
        assert end == "finished"
        assert [trial.problem for trial in trials] == [None, None]
        assert [trial.samples for trial in trials] == [(), ()]
        assert states(guard) == ["ready", "restored"]
        assert_free(board)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
