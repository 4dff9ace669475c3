"""The boards of the documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.fleet import VirtualFleet
from tests.virtual.helpers import FAST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def reader_fleet(tmp_path: Path) -> Iterator[VirtualFleet]:
    """Three new boards that take no time. What they compute depends on what ran there before."""
    with VirtualFleet(3, tmp_path / "fleet", FAST) as fleet:
        yield fleet
