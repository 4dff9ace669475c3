"""A fleet in good health for each file of tests, and the program in a folder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.fleet import VirtualFleet
from tests.e2e.program import Program
from tests.virtual.helpers import FAST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """Two boards, one of each release, that take no time."""
    with VirtualFleet(2, tmp_path_factory.mktemp("fleet"), FAST) as served:
        (served.directory / "inventory.yaml").write_text(served.inventory_text())
        yield served


@pytest.fixture
def jetbench(fleet: VirtualFleet, tmp_path: Path) -> Program:
    """The program, which finds the fleet in its environment."""
    return Program(tmp_path, fleet.directory / "inventory.yaml")
