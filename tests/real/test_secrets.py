"""Real sudo that wants a password: it works, whatever it is, and leaves no trace on the board."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.hunt import Hunt, files_with
from tests.e2e.program import Program
from tests.e2e.terminal import on_terminal
from tests.e2e.test_secrets import ODD, RIGHT, WRONG
from tests.real.program import left_on
from tests.real.test_least_sudo import as_root

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.program import Done
    from tests.real.conftest import RealBoards, StartBoards

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root on this machine")
RUN = ("run", "bvlc_alexnet", "--gpu", "none", "--iterations", "2", "--repeats", "1", "--warm-up")
SEARCHED = (
    "home",
    "root",
    "var/log",
    "var/lib",
    "var/tmp",
    "var/mail",
    "var/spool",
    "tmp",
    "run",
    "dev/shm",
)
"""All that somebody could have written on a board; its history files are in the homes."""


@pytest.fixture(scope="module")
def boards(start_boards: StartBoards) -> RealBoards:
    """One board that only these tests use."""
    return start_boards(1, sudo="password")


def sweep(program: Program, boards: RealBoards, way: str, password: str) -> Done:
    """A sweep whose password comes in this way."""
    store = boards.folder / "store"
    store.write_text(password + "\n")
    sudo = {
        "prompt": "prompt",
        "env": "env:JETBENCH_TEST_SECRET",
        "command": f"command:cat {shlex.quote(str(store))}",
    }[way]
    text = boards.inventory.read_text()
    line = next(line for line in text.splitlines() if line.startswith("    sudo: "))
    inventory = program.folder / "with.yaml"
    inventory.write_text(text.replace(line, f"    sudo: {sudo}"))
    words = (*RUN, "0", "--format", "json", "-v", "-i", str(inventory))
    try:
        if way == "prompt":
            return on_terminal(program, *words, question="sudo password", answer=password + "\n")
        return program(*words, **({"JETBENCH_TEST_SECRET": password} if way == "env" else {}))
    finally:
        store.unlink()


@pytest.mark.parametrize("typed", [RIGHT, WRONG], ids=["right", "wrong"])
@pytest.mark.parametrize("form", ["{}", ODD], ids=["plain", "odd"])
@pytest.mark.parametrize("way", ["prompt", "env", "command"])
def test_a_password_leaves_no_trace(
    boards: RealBoards, tmp_path: Path, way: str, form: str, typed: str
) -> None:
    """In no argument or environment of any process of the board, and in no file that is left."""
    (board,) = boards.boards
    set_to = subprocess.run(
        ["nsenter", "--target", board.root.readlink().parts[2], "--mount", "--root", "chpasswd"],
        input=f"nvidia:{form.format(RIGHT)}\n".encode(),
        check=False,
    )
    assert set_to.returncode == 0
    # A history to look at, as of somebody who works there.
    as_root(board, "su - nvidia -c 'echo ls >>~/.bash_history'")
    program = Program(tmp_path, boards.inventory)
    both = [RIGHT, WRONG]
    with Hunt(both, board.root / "proc") as hunt:
        done = sweep(program, boards, way, form.format(typed))
    assert done.status == (0 if typed == RIGHT else 3), done.err
    told = done.document["boards"][board.name]
    assert typed == RIGHT or "incorrect password" in told["error"]
    assert any(arguments.startswith(b"sudo\0-S") for arguments in hunt.seen), "it was watched"
    assert hunt.found == set()
    assert "hush7Qz9" not in done.out + done.err
    places = [board.root / place for place in SEARCHED if (board.root / place).is_dir()]
    assert files_with(both, tmp_path, *places) == []
    assert left_on(board) == []
