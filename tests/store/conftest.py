"""Histories for tests: each test runs on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jetbench.store.database.history import open_history
from tests.store.postgres import PASSWORD, PostgresServer, a_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jetbench.store.database.history import History


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """A server that runs; whoever stops it starts it again."""
    with a_server() as server:
        yield server


@pytest.fixture
def postgresql(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty database, its password in the environment."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    return server.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/history.sqlite"
    return str(request.getfixturevalue("postgresql"))


@pytest.fixture
def history(url: str, tmp_path: Path) -> Iterator[History]:
    """A history with nothing in it."""
    with open_history(url, tmp_path, create=True) as history:
        yield history
