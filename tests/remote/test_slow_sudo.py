"""sudo that takes its time between the probe and the guard, and a runner that is gone by then."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from jetbench.remote.session import Session
from tests.remote.sweeping import SWEEP, drain, drain_until, parcel, read, wait_for

if TYPE_CHECKING:
    from tests.remote.folder_board import Board


@pytest.fixture
def slow(board: Board) -> Board:
    """A board whose sudo waits for something, such as a directory server, for two seconds."""
    sudo = board.root / "bin/sudo"
    sudo.write_text(sudo.read_text().replace("#!/bin/sh\n", "#!/bin/sh\nsleep 2\n"))
    return board


def lock_is_free(board: Board) -> bool:
    """Whether nobody of ours is left on the board."""
    command = ["flock", "--nonblock", str(board.root / "etc"), "true"]
    return subprocess.run(command, check=False).returncode == 0


def test_a_sweep_waits_for_sudo(slow: Board) -> None:
    """It is no failure that it takes two seconds."""
    follower = Session(slow.link()).start(parcel(slow), password=None)
    _, trials, end = read(drain(follower))
    assert ([trial.id for trial in trials], end) == ([1, 2], "finished")


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_guard_that_comes_too_late_lets_the_board_go(slow: Board, how: str) -> None:
    """Nobody is there any more who would ask it for anything: it must not wait for that."""
    follower = Session(slow.link()).start(parcel(slow), password=None)
    data = drain_until(follower, "start")
    if how == "stop":
        Session(slow.link()).stop(SWEEP)
    else:
        pid = slow.home / f".jetbench/sweeps/{SWEEP}/pid"
        wait_for(pid.exists)
        os.kill(int(pid.read_text()), signal.SIGKILL)
    wait_for(lambda: lock_is_free(slow), seconds=10)
    guard, trials, _ = read(data + drain(follower))
    assert trials == []
    assert (slow.mode, slow.locked) == ("3", False)
    # It may have come too late to say anything at all.
    assert all(said.get("state", "restored") == "restored" for said in guard[-1:])
    follower.forget()
    assert not (slow.home / ".jetbench").exists()
    assert not (slow.root / "var/lib/jetbench").exists()
