"""Servers for the tests of connecting, and a home that is not the user's."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.remote.folder_board import Board, missing_tools
from tests.remote.sshd import Relay, Sshd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    StartSshd = Callable[..., Sshd]
    StartRelay = Callable[[int], Relay]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, with no agent."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return home


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    """A board in a folder, with mode 3 set and its clocks free."""
    if missing := missing_tools():
        pytest.skip(f"the board's scripts need {', '.join(missing)}")
    with closing(Board(tmp_path)) as made:
        yield made


@pytest.fixture
def start_sshd(tmp_path: Path, home: Path) -> Iterator[StartSshd]:
    """Starts servers: ``start_sshd("name", *options, host_keys=…)``."""
    assert home.is_dir()
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    if shutil.which("sshd", path=path) is None or shutil.which("ssh-keygen") is None:
        pytest.skip("OpenSSH's server is not installed")
    servers: list[Sshd] = []

    def start(name: str = "board", *options: str, host_keys: tuple[Path, ...] = ()) -> Sshd:
        server = Sshd(tmp_path / name, host_keys=host_keys)
        servers.append(server)
        return server.start(*options)

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def start_relay() -> Iterator[StartRelay]:
    """Starts relays: ``start_relay(port)``."""
    relays: list[Relay] = []

    def start(target: int) -> Relay:
        relays.append(Relay(target))
        return relays[-1]

    yield start
    for relay in relays:
        relay.close()
