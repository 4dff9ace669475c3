"""Keys with passphrases, keys of an agent, and how often anybody is asked."""

from __future__ import annotations

import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import LoginError
from jetbench.remote.connection import Connector
from jetbench.remote.identities import inspect_key
from tests.remote.sshd import make_key
from tests.remote.test_connection import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.remote.conftest import StartSshd


class Asker:
    """Somebody who knows a passphrase, and counts how often it is wanted."""

    def __init__(self, *answers: str) -> None:
        self.asked: list[str] = []
        self._answers = answers
        self._lock = threading.Lock()

    def __call__(self, path: str) -> str:
        with self._lock:
            self.asked.append(path)
            return self._answers[min(len(self.asked), len(self._answers)) - 1]


@pytest.fixture
def agent(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A running ssh-agent with no keys."""
    sock = home / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(sock)], stdout=subprocess.DEVNULL)
    while not sock.exists():
        assert process.poll() is None
    monkeypatch.setenv("SSH_AUTH_SOCK", str(sock))
    yield
    process.terminate()
    process.wait(10)


def add_key(key: Path, *words: str, passphrase: str = "") -> None:
    """Give a key to the agent."""
    helper = key.with_name("askpass")
    helper.write_text(f"#!/bin/sh\necho '{passphrase}'\n")
    helper.chmod(0o700)
    env = {**os.environ, "SSH_ASKPASS": str(helper), "SSH_ASKPASS_REQUIRE": "force"}
    subprocess.run(
        ["ssh-add", "-q", *words, str(key)], check=True, env=env, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_passphrase_is_asked_for_once_for_all_boards(
    start_sshd: StartSshd, tmp_path: Path, kind: str
) -> None:
    """Sixteen threads want the same key at the same moment."""
    server = start_sshd()
    server.enrol()
    key = make_key(tmp_path / "locked", kind, passphrase="correct horse")
    server.authorize(key)
    asker = Asker("correct horse")

    def work(number: int) -> bytes:
        with connector.connect(server.board(f"b{number}", key=str(key))) as link:
            return run(link, "echo in")[0]

    with Connector(ask_passphrase=asker) as connector, ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(16))) == [b"in\n"] * 16
    assert asker.asked == [str(key)]


def test_a_wrong_passphrase_may_be_corrected(start_sshd: StartSshd, tmp_path: Path) -> None:
    """The third answer still counts."""
    server = start_sshd()
    server.enrol()
    key = make_key(tmp_path / "locked", passphrase="right")
    server.authorize(key)
    asker = Asker("wrong", "", "right")
    with Connector(ask_passphrase=asker) as connector:
        connector.connect(server.board(key=str(key))).close()
    assert len(asker.asked) == 3


def test_three_wrong_passphrases_are_enough_for_all_boards(
    start_sshd: StartSshd, tmp_path: Path
) -> None:
    """The next board is told without asking again; nothing of what was typed is repeated."""
    server = start_sshd()
    key = make_key(tmp_path / "locked", passphrase="right")
    asker = Asker("not-this-one")
    with Connector(ask_passphrase=asker) as connector:
        for _ in range(2):
            with pytest.raises(LoginError, match="wrong passphrase") as caught:
                connector.connect(server.board(key=str(key)))
            assert "not-this-one" not in f"{caught.value.message} {caught.value.hint}"
            assert caught.value.__cause__ is None
    assert len(asker.asked) == 3


def test_with_nobody_to_ask_the_hint_is_ssh_add(start_sshd: StartSshd, tmp_path: Path) -> None:
    """As in a nightly job."""
    server = start_sshd()
    key = make_key(tmp_path / "locked", passphrase="right")
    with Connector() as connector, pytest.raises(LoginError, match="nobody to ask") as caught:
        connector.connect(server.board(key=str(key)))
    assert caught.value.hint == f"ssh-add {key}"


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
@pytest.mark.usefixtures("agent")
def test_a_named_key_with_a_passphrase_is_taken_from_the_agent(
    start_sshd: StartSshd, tmp_path: Path, kind: str
) -> None:
    """Nobody is asked, and no other key of the agent is offered."""
    server = start_sshd()
    server.enrol()
    key = make_key(tmp_path / "locked", kind, passphrase="right")
    server.authorize(key)
    for number in range(3):
        add_key(make_key(tmp_path / f"other{number}"))
    add_key(key, passphrase="right")
    key.with_name(key.name + ".pub").unlink()
    with Connector() as connector:
        connector.connect(server.board(key=str(key))).close()
    assert "Failed publickey" not in server.log()


@pytest.mark.usefixtures("agent")
def test_many_threads_sign_with_one_agent(start_sshd: StartSshd) -> None:
    """Its one socket is used by one of them at a time."""
    server = start_sshd()
    server.enrol()
    add_key(server.key)

    def work(number: int) -> bytes:
        with connector.connect(server.board(f"b{number}", key=None)) as link:
            return run(link, "echo in")[0]

    with Connector() as connector, ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(32))) == [b"in\n"] * 32


@pytest.mark.usefixtures("agent")
def test_at_most_five_keys_are_offered(start_sshd: StartSshd, tmp_path: Path) -> None:
    """Where the agent holds more than a server has patience for."""
    server = start_sshd()
    server.enrol()
    for number in range(8):
        add_key(make_key(tmp_path / f"other{number}"))
    with Connector() as connector, pytest.raises(LoginError, match="none of the keys"):
        connector.connect(server.board(key=None))
    assert server.log().count("Failed publickey") == 5


@pytest.mark.usefixtures("agent")
def test_a_key_the_agent_does_not_sign_with_is_left_out(
    start_sshd: StartSshd, home: Path, tmp_path: Path
) -> None:
    """A key that wants to be confirmed, and is not, does not stand in the way of the next."""
    server = start_sshd()
    server.enrol()
    add_key(make_key(tmp_path / "unwilling"), "-c")
    server.authorize(make_key(home / ".ssh" / "id_ed25519"))
    with Connector() as connector:
        connector.connect(server.board(key=None)).close()


def test_a_default_key_with_a_passphrase_comes_last(start_sshd: StartSshd, home: Path) -> None:
    """Nobody is asked where another key opens the door, and somebody where none does."""
    server = start_sshd()
    server.enrol()
    locked = make_key(home / ".ssh" / "id_ed25519", passphrase="right")
    plain = make_key(home / ".ssh" / "id_rsa", "rsa")
    server.authorize(plain)
    asker = Asker("right")
    with Connector(ask_passphrase=asker) as connector:
        connector.connect(server.board(key=None)).close()
        assert asker.asked == []
        server.authorize(locked)
        connector.connect(server.board(key=None)).close()
        connector.connect(server.board(key=None)).close()
    assert asker.asked == [str(locked)]


def test_a_key_file_is_understood_without_its_passphrase(tmp_path: Path) -> None:
    """Encrypted or not, and its public half."""
    for passphrase in ("", "secret"):
        key = make_key(tmp_path / f"key{passphrase}", passphrase=passphrase)
        encrypted, public = inspect_key(key.read_bytes())
        assert encrypted is bool(passphrase)
        assert public is not None
        assert public.startswith(b"\0\0\0\x0bssh-ed25519")
    old = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n"
    assert inspect_key(old) == (True, None)
    for rubbish in (b"", b"\xff\0", b"-----BEGIN OPENSSH PRIVATE KEY-----\n!\n-----END"):
        assert inspect_key(rubbish) == (False, None)
