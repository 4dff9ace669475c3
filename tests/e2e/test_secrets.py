"""Passwords and passphrases: wherever they come from, they are written down nowhere."""

from __future__ import annotations

import base64
import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions, Faults
from tests.e2e.hunt import Hunt, files_with
from tests.e2e.program import Done, Program, at_rest, inventory_for
from tests.e2e.terminal import on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
RUN = ("run", "bvlc_alexnet", "--repeats", "2", "--gpu", "0", "--format", "json")
RIGHT, WRONG = "hush7Qz9Right", "hush7Qz9Wrong"
"""The core of each password: letters and digits, which no quoting changes."""
ODD = """it's "{}" $HOME `id` $(id) \\n \\ %s ü€密 ;&|<>*?~#!"""
FORMS = {
    "plain": "{}",
    "odd": ODD,
    "blanks": "  {} \t ",
    "dash": "-n {}",
    "long": "{}" + "x" * 200,
}
WAYS = ("prompt", "env", "command")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """A board whose sudo wants a password."""
    option = BoardOptions(faults=Faults(password=True), time_scale=0)
    with VirtualFleet(1, tmp_path_factory.mktemp("fleet"), option) as served:
        (served.directory / "inventory.yaml").write_text(served.inventory_text())
        yield served


def sweep(program: Program, fleet: VirtualFleet, way: str, password: str) -> Done:
    """A sweep whose password comes in this way, and from nowhere that is searched."""
    (board,) = fleet.boards
    store = fleet.directory / "store"
    store.write_text(password + "\n")
    sudo = {
        "prompt": "prompt",
        "env": "env:JETBENCH_TEST_SECRET",
        "command": f"command:cat {shlex.quote(str(store))}",
    }[way]
    inventory = inventory_for(fleet, program.folder / "with.yaml", {board.name: {"sudo": sudo}})
    words = (*RUN, "-v", "-i", str(inventory))
    try:
        if way == "prompt":
            return on_terminal(program, *words, question="sudo password", answer=password + "\n")
        return program(*words, **({"JETBENCH_TEST_SECRET": password} if way == "env" else {}))
    finally:
        store.unlink()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", FORMS)
def test_a_password_that_is_right_works_and_leaves_no_trace(
    jetbench: Program, fleet: VirtualFleet, form: str, way: str
) -> None:
    """In no argument, environment of the board, journal, log, message, result or history."""
    password = FORMS[form].format(RIGHT)
    (board,) = fleet.boards
    expected = board.root / "etc/sudo-password"
    expected.write_text(password)
    with Hunt([RIGHT], Path("/proc"), os.fsencode(f"JETBENCH_ROOT={board.root}")) as hunt:
        done = sweep(jetbench, fleet, way, password)
    assert done.status == 0, done.err
    assert {told["restored"] for told in done.document["boards"].values()} == {True}
    assert any(b"guard.sh" in arguments for arguments in hunt.seen), "it was watched"
    assert hunt.found == set()
    assert RIGHT not in done.out + done.err
    assert files_with([RIGHT], jetbench.folder, board.root, but=[expected]) == []
    assert at_rest(board)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", ["plain", "odd"])
def test_a_password_that_is_wrong_is_told_and_leaves_no_trace(
    jetbench: Program, fleet: VirtualFleet, form: str, way: str
) -> None:
    """Neither it nor the right one; exit code 3."""
    password = FORMS[form].format(WRONG)
    (board,) = fleet.boards
    expected = board.root / "etc/sudo-password"
    expected.write_text(FORMS[form].format(RIGHT))
    both = [RIGHT, WRONG]
    with Hunt(both, Path("/proc"), os.fsencode(f"JETBENCH_ROOT={board.root}")) as hunt:
        done = sweep(jetbench, fleet, way, password)
    assert done.status == 3
    assert "incorrect password" in done.document["boards"][board.name]["error"]
    assert hunt.found == set()
    assert "hush7Qz9" not in done.out + done.err
    assert files_with(both, jetbench.folder, board.root, but=[expected]) == []
    assert at_rest(board)


@pytest.mark.parametrize("typed", [RIGHT, WRONG], ids=["right", "wrong"])
def test_a_passphrase_leaves_no_trace(jetbench: Program, fleet: VirtualFleet, typed: str) -> None:
    """Right or wrong, it stays in this program's memory."""
    (board,) = fleet.boards
    (board.root / "etc/sudo-password").write_text("nvidia")
    key = jetbench.folder / "locked"
    key.write_bytes(fleet.key.read_bytes())
    key.chmod(0o600)
    change = ["ssh-keygen", "-q", "-p", "-P", "", "-N", RIGHT, "-f", str(key)]
    try:
        subprocess.run(change, check=True, stdout=subprocess.DEVNULL)
    except FileNotFoundError:
        pytest.skip("ssh-keygen is not installed")
    keys = {"key": str(key), "sudo": "command:echo nvidia"}
    inventory = inventory_for(fleet, jetbench.folder / "with.yaml", {board.name: keys})
    with Hunt([RIGHT, WRONG], Path("/proc")) as hunt:
        words = (*RUN, "-v", "-i", str(inventory))
        question = "Passphrase for"
        done = on_terminal(jetbench, *words, question=question, answer=f"{typed}\n", times=3)
    assert done.status == (0 if typed == RIGHT else 3), done.err
    assert done.err.count("Passphrase for") == (1 if typed == RIGHT else 3)
    assert hunt.found == set()
    assert "hush7Qz9" not in done.out + done.err
    assert files_with([RIGHT, WRONG], jetbench.folder, board.root) == []


def test_the_hunt_finds_what_is_there(tmp_path: Path) -> None:
    """In arguments, in environments, in files, in their names, and in base64."""
    with (
        Hunt([RIGHT], Path("/proc"), b"OF_THE_BOARD=") as hunt,
        subprocess.Popen(["sh", "-c", "sleep 0.5", RIGHT]) as first,
        subprocess.Popen(["sleep", "0.5"], env={"X": f"'{RIGHT}'", "OF_THE_BOARD": ""}) as second,
    ):
        first.wait()
        second.wait()
    places = {(pid, what) for pid, what, _ in hunt.found}
    assert {(str(first.pid), "cmdline"), (str(second.pid), "environ")} <= places
    (tmp_path / RIGHT).touch()
    (tmp_path / "content").write_text(f"x{RIGHT}x")
    (tmp_path / "base64").write_bytes(base64.b64encode(b"pw=" + RIGHT.encode()))
    (tmp_path / "nothing").write_text("hush")
    names = {path.name for path in files_with([RIGHT], tmp_path)}
    assert names == {RIGHT, "content", "base64"}
