"""A shelf of boards, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.virtual.fleet import VirtualFleet
from tests.e2e.program import NET, Program, at_rest
from tests.virtual.helpers import FAST

if TYPE_CHECKING:
    from pathlib import Path


def test_sixty_four_boards_measure_at_once(tmp_path: Path) -> None:
    """Every one is measured and left at rest."""
    with VirtualFleet(64, tmp_path / "fleet", FAST) as fleet:
        inventory = tmp_path / "inventory.yaml"
        inventory.write_text(fleet.inventory_text())
        program = Program(tmp_path, inventory)
        program.net("net.prototxt", NET)
        done = program("run", "net.prototxt", "--repeats", "1", "--format", "json")
        assert done.status == 0, done.err
        records = done.document["records"]
        assert [record["board"] for record in records] == [b.name for b in fleet.boards]
        # On a busy machine a number may well be in doubt.
        assert {record["status"] for record in records} <= {"ok", "suspect"}
        assert all(board["restored"] for board in done.document["boards"].values())
        assert all(at_rest(board) for board in fleet.boards)
