"""One fleet for all tests that leave it as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.fleet import VirtualFleet
from tests.virtual.helpers import FAST, connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    import paramiko


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualFleet]:
    """Two boards, one of each release."""
    with VirtualFleet(2, tmp_path_factory.mktemp("fleet"), FAST) as served:
        yield served


@pytest.fixture
def client(fleet: VirtualFleet) -> Iterator[paramiko.SSHClient]:
    """A connection to the first board."""
    with connected(fleet, fleet.boards[0]) as connection:
        yield connection
