"""The boards of the documents."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from jetbench.virtual.faults import Faults
from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions
from tests.remote.sshd import Sshd
from tests.store.postgres import PostgresServer, a_server
from tests.virtual.helpers import FAST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def reader_fleet(tmp_path: Path) -> Iterator[VirtualFleet]:
    """Three new boards that take no time. What they compute depends on what ran there before."""
    with VirtualFleet(3, tmp_path / "fleet", FAST) as fleet:
        yield fleet


@pytest.fixture
def troubled_fleet(tmp_path: Path) -> Iterator[VirtualFleet]:
    """Three boards that take the time of a board, so that their sensors can be read meanwhile."""
    troubles = (Faults(), Faults(throttles_at=3), Faults(gpu_neighbour=True))
    options = [
        replace(BoardOptions(time_scale=1.0), faults=faults).numbered(number)
        for number, faults in enumerate(troubles, 1)
    ]
    with VirtualFleet(3, tmp_path / "fleet", options) as fleet:
        yield fleet


@pytest.fixture
def bastion(tmp_path: Path) -> Iterator[Sshd]:
    """A real server of OpenSSH's."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    if shutil.which("sshd", path=path) is None or shutil.which("ssh-keygen") is None:
        pytest.skip("OpenSSH's server is not installed")
    server = Sshd(tmp_path / "bastion")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def database_server() -> Iterator[PostgresServer]:
    """A real server of PostgreSQL's."""
    with a_server() as server:
        yield server
