"""The installed guard, and a user who may call it and wishes the board ill."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from jetbench.remote import installed
from jetbench.remote.exchange import script_text
from tests.remote.sweeping import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.remote.folder_board import Board

NOBODY = "65534"


@pytest.fixture
def guard(board: Board) -> Path:
    """The script, installed."""
    folder = board.root / installed.FOLDER.lstrip("/")
    folder.mkdir(parents=True)
    for path in (folder, *(path for path in folder.parents if board.root in path.parents)):
        path.chmod(0o755)
    for name in installed.SCRIPTS:
        (folder / name).write_bytes(script_text(name))
        (folder / name).chmod(0o644)
    return folder / "guard.sh"


def call(
    board: Board, guard: Path, *arguments: str, stdin: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run it as sudo does, for the user who runs these tests."""
    environment = {**board.link().env, "SUDO_UID": str(os.getuid()), **variables}
    return subprocess.run(
        ["/bin/sh", str(guard), *arguments],
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [(), ("",), ("Run",), ("look", "x"), ("run", "1"), ("run", "1", "1", "/"), ("restore", "-")],
)
def test_it_takes_one_word_and_nothing_more(
    board: Board, guard: Path, arguments: tuple[str, ...]
) -> None:
    """Where sudo's rule is wider than ours, the guard is not."""
    done = call(board, guard, *arguments)
    assert done.returncode == 1
    assert "@guard state=failed" in done.stderr
    assert (board.mode, board.locked) == ("3", False)


@pytest.mark.parametrize(
    "line",
    [
        "", "mode 0", "for", "for 1", "for {pid} 2", "for {pid} 1 1", "for 0 1", "for 0{pid} 1",
        "for -1 1", "for {pid};id 1", "for ../../etc 1", "for 999999999 1",
    ],
)  # fmt: skip
def test_it_must_be_told_for_which_runner(board: Board, guard: Path, line: str) -> None:
    """A number of a process that runs, and whether to lock the clocks."""
    done = call(board, guard, "run", stdin=line.format(pid=os.getpid()) + "\nmode 0\n")
    assert done.returncode == 1
    assert "state=saved" not in done.stderr
    assert (board.mode, board.locked) == ("3", False)


def test_a_runner_of_somebody_else_is_refused(board: Board, guard: Path) -> None:
    """It would be killed in the end."""
    done = call(board, guard, "run", stdin=f"for {os.getpid()} 1\n", SUDO_UID=NOBODY)
    assert done.returncode == 1
    assert f"process {os.getpid()} is not of the user with the id {NOBODY}" in done.stderr


@pytest.mark.parametrize("uid", ["", "0 -o", "x"])
def test_without_sudo_it_does_nothing(board: Board, guard: Path, uid: str) -> None:
    """It must know who calls."""
    done = call(board, guard, "restore", SUDO_UID=uid)
    assert (done.returncode, "does not say who calls" in done.stderr) == (1, True)


def test_it_kills_the_rest_of_the_runners_session(board: Board, guard: Path) -> None:
    """And nothing of another session; then everything is put back."""
    runner = subprocess.Popen(["sleep", "60"], start_new_session=True)
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        done = call(board, guard, "run", stdin=f"for {runner.pid} 1\nmode 0\n")
        assert "state=ready asked=0 mode=0 locked=1" in done.stderr
        assert "state=restored" in done.stderr
        assert runner.wait(10) == -9
        assert other.poll() is None
    finally:
        for process in (runner, other):
            process.kill()
            process.wait()
    assert (board.mode, board.locked) == ("3", False)


def test_the_environment_steers_nothing(board: Board, guard: Path) -> None:
    """No variable gets in, whatever sudo lets through."""
    evil = board.root / "evil"
    (evil / "usr/sbin").mkdir(parents=True)
    (evil / "usr/sbin/nvpmodel").write_text(f"#!/bin/sh\n: >{evil}/ran\n")
    (evil / "usr/sbin/nvpmodel").chmod(0o755)
    (board.root / "usr/sbin/nvpmodel").write_text("#!/bin/sh\nenv >&2; echo 3\n")
    names = ("JETBENCH_ROOT", "ENV", "BASH_ENV", "TMPDIR", "USER_HOME", "HOME", "DIR", "clocks")
    hostile = dict.fromkeys((*names, "by_rule", "nvpmodel", "IFS", "name", "secret"), str(evil))
    done = call(board, guard, "look", **hostile, MULTI="x\nPATH=/nowhere\nname=x", LC_ALL="tr_TR")
    assert done.returncode == 0, done.stderr
    assert not (evil / "ran").exists()
    assert f"JETBENCH_ROOT={board.root}" in done.stderr.splitlines()
    assert str(evil) not in done.stderr
    assert "MULTI" not in done.stderr
    assert f"guard_clocks={board.root}/usr/bin/jetson_clocks" in done.stdout


def test_two_at_once_are_not_possible(board: Board, guard: Path) -> None:
    """The second would take the raised clocks for the board's own; lock or no lock of its own."""
    environment = {**board.link().env, "SUDO_UID": str(os.getuid())}
    with (board.root / "journal").open("w") as journal:
        first = subprocess.Popen(
            ["/bin/sh", str(guard), "run"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=journal,
        )
    # Of a session that is not this one: it is killed in the end.
    runner = subprocess.Popen(["sleep", "60"], start_new_session=True)
    assert first.stdin is not None
    first.stdin.write(f"for {runner.pid} 1\nmode 0\n".encode())
    first.stdin.flush()
    wait_for(lambda: "state=ready" in (board.root / "journal").read_text())
    for task in ("run", "restore"):
        done = call(board, guard, task, stdin=f"for {runner.pid} 1\nmode 1\n")
        assert (done.returncode, "somebody else measures there" in done.stderr) == (1, True)
    assert board.mode == "0"
    first.stdin.close()
    assert first.wait(20) == 0
    assert (board.mode, board.locked) == ("3", False)
    runner.wait()


def test_what_it_is_asked_is_only_asked(board: Board, guard: Path) -> None:
    """Lines that are no question, and modes that are no mode, run nothing."""
    runner = subprocess.Popen(["sleep", "60"], start_new_session=True)
    lines = "$(touch /tmp/x)\noff\nmode ../../0\nmode 0"
    done = call(board, guard, "run", stdin=f"for {runner.pid} 1\n{lines}\n")
    runner.kill()
    runner.wait()
    assert "has no mode called ../../0" in done.stderr
    assert "state=ready" not in done.stderr
    assert (board.mode, board.locked) == ("3", False)


def test_a_journal_that_is_not_read_does_not_stop_it(board: Board, guard: Path) -> None:
    """Its caller closes the other end of standard error: everything is put back all the same."""
    runner = subprocess.Popen(["sleep", "60"], start_new_session=True)
    environment = {**board.link().env, "SUDO_UID": str(os.getuid())}
    process = subprocess.Popen(
        ["/bin/sh", str(guard), "run"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stderr.close()
    process.stdin.write(f"for {runner.pid} 1\nmode 0\n".encode())
    process.stdin.flush()
    wait_for(lambda: board.locked)
    time.sleep(0.1)
    process.stdin.close()
    process.wait(20)
    runner.wait()
    assert (board.mode, board.locked) == ("3", False)
    assert not (board.root / "var/lib/jetbench").exists()
