"""Boards whose sudo allows nothing but the guard that an administrator has installed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from jetbench.remote import installed
from jetbench.virtual.board_root import install_guard
from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions, Faults
from tests.e2e.program import Program, at_rest, power_state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jetbench.virtual.fleet import VirtualBoard

RUN = ("run", "bvlc_alexnet", "--repeats", "1", "--gpu", "0", "--format", "json")
FOLDER = installed.FOLDER.lstrip("/")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """One board of JetPack 3, whose jetson_clocks.sh lies in a home, and one of JetPack 4."""
    option = BoardOptions(faults=Faults(only_guard=True), time_scale=0)
    with VirtualFleet(2, tmp_path_factory.mktemp("fleet"), option) as served:
        (served.directory / "inventory.yaml").write_text(served.inventory_text())
        yield served


@pytest.fixture
def board(fleet: VirtualFleet) -> Iterator[VirtualBoard]:
    """The first, mended afterwards."""
    yield fleet.boards[0]
    shutil.rmtree(fleet.boards[0].root / FOLDER)
    install_guard(fleet.boards[0].root)
    (fleet.boards[0].home / "jetson_clocks.sh").chmod(0o700)


def test_a_sweep_needs_nothing_else(jetbench: Program, fleet: VirtualFleet) -> None:
    """Mode and clocks are set and proved, telemetry read, and everything put back."""
    before = [power_state(board) for board in fleet.boards]
    done = jetbench(*RUN)
    assert done.status == 0, done.err
    for record in done.document["records"]:
        assert (record["power_mode"]["id"], record["clocks_locked"]) == (0, True)
    assert {told["restored"] for told in done.document["boards"].values()} == {True}
    assert [power_state(board) for board in fleet.boards] == before
    assert all(at_rest(board) for board in fleet.boards)


def test_check_says_so(jetbench: Program) -> None:
    """It is enough to be ready."""
    done = jetbench("boards", "check")
    assert done.status == 0, done.out
    assert done.out.count("the guard that is installed, without a password") == 2


def test_it_puts_back_what_was_left_behind(jetbench: Program, board: VirtualBoard) -> None:
    """By its task `restore`; root is needed for nothing else."""
    before = power_state(board)
    state = board.root / "var/lib/jetbench"
    state.mkdir(mode=0o711)
    (state / "mode").write_text("3\n")
    (board.root / "var/lib/nvpmodel/status").write_text("pmode:0001")
    done = jetbench("boards", "restore", board.name)
    assert (done.status, "put back, MAXP_CORE_ARM" in done.out) == (0, True), done.out
    assert power_state(board)[0].strip() == before[0].strip()
    assert not state.exists()


def test_a_state_that_others_could_have_written_is_not_put_back(
    jetbench: Program, board: VirtualBoard
) -> None:
    """By hand: it says why not, and that is no success."""
    before = power_state(board)
    state = board.root / "var/lib/jetbench"
    state.mkdir()
    state.chmod(0o777)
    (state / "mode").write_text("1\n")
    done = jetbench("boards", "restore", board.name)
    shutil.rmtree(state)
    assert done.status == 3
    assert "may be written by others; look at it, and remove it" in done.out
    assert power_state(board) == before


def test_another_version_is_not_used(jetbench: Program, board: VirtualBoard) -> None:
    """A sweep says what to do, and measures the board as it is if that is what is wanted."""
    with (board.root / FOLDER / "sampler.sh").open("a") as file:
        file.write("# of another version\n")
    done = jetbench(*RUN, "-b", board.name)
    assert done.status == 3
    told = done.document["boards"][board.name]
    assert "belongs to another version of jetbench" in told["error"]
    assert "jetbench boards sudoers" in told["hint"]
    checked = jetbench("boards", "check", board.name)
    assert "cannot be used" in checked.out
    as_it_is = jetbench(*RUN, "-b", board.name, "--power-mode", "keep", "--no-clocks")
    assert as_it_is.status == 0, as_it_is.err


@pytest.mark.parametrize("open_to_others", [FOLDER, f"{FOLDER}/guard.sh", "usr/local"])
def test_one_that_others_can_change_does_nothing(
    jetbench: Program, board: VirtualBoard, open_to_others: str
) -> None:
    """The administrator forgot whose it is to be: the guard says so and refuses."""
    path = board.root / open_to_others
    before = path.stat().st_mode
    path.chmod(0o777)
    try:
        done = jetbench(*RUN, "-b", board.name)
    finally:
        path.chmod(before)
    assert done.status == 3
    assert "others than root can change" in done.document["boards"][board.name]["error"]


@pytest.mark.parametrize("how", ["writable", "a link"])
def test_a_jetson_clocks_of_others_is_not_run(
    jetbench: Program, board: VirtualBoard, how: str
) -> None:
    """Root would run what anybody has written; the advice is a copy of root's, and it works."""
    script = board.home / "jetson_clocks.sh"
    text = script.read_bytes()
    if how == "writable":
        script.chmod(0o777)
    else:
        script.rename(board.home / "elsewhere.sh")
        script.symlink_to("elsewhere.sh")
    done = jetbench(*RUN, "-b", board.name)
    assert done.status == 3
    told = done.document["boards"][board.name]
    assert "others than root can change" in told["error"]
    assert f"{installed.FOLDER}/jetson_clocks.sh" in told["hint"]
    copy = board.root / FOLDER / "jetson_clocks.sh"
    copy.write_bytes(text)
    copy.chmod(0o755)
    assert jetbench(*RUN, "-b", board.name).status == 0
    script.unlink()
    script.write_bytes(text)


def test_the_command_writes_what_is_to_be_installed(jetbench: Program, tmp_path: Path) -> None:
    """Four scripts and the rule; what to type; and it replaces nothing."""
    done = jetbench("boards", "sudoers", "-o", "for-boards", "--user", "bench")
    assert done.status == 0, done.err
    names = {path.name for path in (tmp_path / "for-boards").iterdir()}
    assert names == {*installed.SCRIPTS, "jetbench"}
    assert (tmp_path / "for-boards/jetbench").read_text() == installed.sudoers("bench")
    assert installed.steps("bench") in done.out
    again = jetbench("boards", "sudoers", "-o", "for-boards")
    assert (again.status, "is there already" in again.err) == (2, True)


@pytest.mark.parametrize("user", ["ALL", "%sudo", "a b", "x ALL=(ALL) NOPASSWD: ALL\n", "", "#0"])
def test_a_rule_is_written_for_a_plain_name_only(jetbench: Program, user: str) -> None:
    """Nothing that sudoers would take for more than one user."""
    done = jetbench("boards", "sudoers", "-o", "for-boards", "--user", user)
    assert (done.status, "is no name of a user" in done.err) == (2, True)
    assert not (jetbench.folder / "for-boards").exists()
