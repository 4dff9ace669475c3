"""Boards whose sudo wants a password, and a user at a terminal who knows it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions, Faults
from tests.e2e.program import Program, at_rest
from tests.e2e.terminal import on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = ("run", "bvlc_alexnet", "--repeats", "1", "--format", "json")
QUESTION = "sudo password for nvidia on "


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """Two boards that do not let anybody become root for nothing."""
    option = BoardOptions(faults=Faults(password=True), time_scale=0)
    with VirtualFleet(2, tmp_path_factory.mktemp("fleet"), option) as served:
        (served.directory / "inventory.yaml").write_text(served.inventory_text())
        yield served


def test_it_is_asked_for_once_for_all_boards(jetbench: Program, fleet: VirtualFleet) -> None:
    """It is not shown, and no display wipes the question away."""
    done = on_terminal(jetbench, *RUN, question=QUESTION, answer="nvidia\n")
    assert done.status == 0, done.err
    assert done.err.count(QUESTION) == 1
    after = done.err.partition(QUESTION)[2]
    # What comes next is the line end of the answer, not a display that is redrawn.
    assert after.partition("\n")[0] == f"{after[:7]}: "
    assert after.startswith("virt-0")
    assert all(at_rest(board) for board in fleet.boards)


def test_a_wrong_one_is_told_and_changes_nothing(jetbench: Program, fleet: VirtualFleet) -> None:
    """Exit code 3: sudo's own words, and what to do."""
    done = on_terminal(jetbench, *RUN, question=QUESTION, answer="wrong\n")
    assert done.status == 3
    for board in done.document["boards"].values():
        assert "incorrect password" in board["error"]
        assert "sudo" in board["hint"]
    assert all(at_rest(board) for board in fleet.boards)


def test_ctrl_c_at_the_question_ends_it(jetbench: Program, fleet: VirtualFleet) -> None:
    """Exit code 130, and the terminal shows again what is typed."""
    done = on_terminal(jetbench, *RUN, question=QUESTION, answer=signal.SIGINT)
    assert done.status == 130
    assert done.err.count(QUESTION) == 1
    assert {record["status"] for record in done.document["records"]} == {"lost"}
    assert all(at_rest(board) for board in fleet.boards)
