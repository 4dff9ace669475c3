"""sudo that stops working when it is needed again: after the guard, and for `boards restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions, Faults
from tests.e2e.program import Program, at_rest, power_state, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jetbench.virtual.fleet import VirtualBoard


@pytest.fixture
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """A board whose sudo works for the probe and for the guard, and another one."""
    slow = 0.1
    options = [
        BoardOptions(faults=Faults(sudo_stops_after=2), time_scale=slow, seed=1),
        BoardOptions(time_scale=slow, seed=2),
    ]
    with VirtualFleet(2, tmp_path_factory.mktemp("fleet"), options) as served:
        (served.directory / "inventory.yaml").write_text(served.inventory_text())
        yield served


def mend_sudo(board: VirtualBoard) -> None:
    """Let it work again."""
    settings = board.root / "etc/jetbench-virtual"
    lines = settings.read_text().splitlines(keepends=True)
    settings.write_text("".join(line for line in lines if "sudo_stops_after" not in line))


def test_what_cannot_be_put_back_waits_until_sudo_works_again(
    jetbench: Program, fleet: VirtualFleet
) -> None:
    """The run says so with the next step, `boards restore` says why, and then it does it."""
    board, other = fleet.boards
    before = [power_state(each) for each in fleet.boards]
    words = ("run", "bvlc_alexnet", "--repeats", "5", "--format", "json")
    with jetbench.started(*words) as started:
        started.wait_for(r"virt-01: 2/5")
        board.reboot()
        done = started.end()
    assert done.status == 1, done.err
    lost, good = done.document["records"]
    assert good["status"] == "ok"
    assert lost["forward_ms"]["n"] >= 2
    told = done.document["boards"]["virt-01"]
    assert told["restored"] is False
    (note,) = [note for note in told["notes"] if "could not be put back" in note]
    assert "a password is required" in note
    assert "jetbench boards restore virt-01" in note
    assert note in done.err
    assert "left behind: True" in power_state(board)
    again = jetbench("boards", "restore")
    assert again.status == 1
    assert "virt-01: sudo wants a password" in again.out
    assert "  → " in again.out
    assert "left behind: True" in power_state(board)
    mend_sudo(board)
    assert "virt-01: put back" in jetbench("boards", "restore").out
    assert [power_state(each) for each in fleet.boards] == before
    wait_until(lambda: at_rest(board) and at_rest(other))
