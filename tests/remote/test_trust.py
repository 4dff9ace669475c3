"""Enrolling host keys, as a library and as a command."""

from __future__ import annotations

import os
import pty
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import ChangedHostKeyError, UnknownHostKeyError
from jetbench.remote.connection import Connector
from jetbench.remote.trust import enrol, offers
from tests.remote.sshd import fingerprint, make_key, public
from tests.remote.test_jump import bastion_block, write_config

if TYPE_CHECKING:
    from pathlib import Path

    from tests.remote.conftest import StartSshd
    from tests.remote.sshd import Sshd


@pytest.fixture
def board(start_sshd: StartSshd, home: Path) -> Sshd:
    """A server whose key nobody knows, and an inventory in the home that names it."""
    server = start_sshd()
    (home / "inventory.yaml").write_text(
        f"boards:\n  tx2-01:\n    host: 127.0.0.1\n    port: {server.port}\n"
        f"    user: nvidia\n    known_hosts: {home}/new/known_hosts\n"
    )
    return server


def trust(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, with no terminal."""
    return subprocess.run(
        [sys.executable, "-m", "jetbench", "boards", "trust", *words],
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_key_is_shown_and_enrolled_with_nobody_logged_in(board: Sshd) -> None:
    """After which the board can be reached over the same connector."""
    with Connector() as connector:
        with pytest.raises(UnknownHostKeyError):
            connector.connect(board.board())
        (offer,) = offers(connector, board.board())
        assert offer.key.fingerprint == fingerprint(board.host_keys[0])
        assert not offer.known
        assert "userauth" not in board.log()
        assert enrol(connector, offer)
        assert not enrol(connector, offer), "it is there already"
        connector.connect(board.board()).close()
        (again,) = offers(connector, board.board())
        assert again.known


def test_a_changed_key_is_not_offered(board: Sshd, tmp_path: Path) -> None:
    """Replacing a key is a decision of its own, made with ssh-keygen -R."""
    other = make_key(tmp_path / "other")
    known = tmp_path / "board" / "known_hosts"
    known.write_text(f"[127.0.0.1]:{board.port} {' '.join(public(other))}\n")
    with Connector() as connector, pytest.raises(ChangedHostKeyError):
        list(offers(connector, board.board()))


def test_a_jump_host_is_enrolled_first(start_sshd: StartSshd, home: Path) -> None:
    """Then the board's key is fetched through it."""
    bastion, board = start_sshd("bastion"), start_sshd("board")
    text = bastion_block(bastion, key=bastion.key).replace("UserKnownHostsFile", "#")
    write_config(home, text + f"Host *\n UserKnownHostsFile {home}/known\n HashKnownHosts yes\n")
    target = board.board(jump="bastion", known_hosts=None)
    with Connector() as connector:
        seen = []
        for offer in offers(connector, target):
            seen.append((offer.is_board, offer.key.fingerprint, offer.known))
            enrol(connector, offer)
        connector.connect(target).close()
    assert seen == [
        (False, fingerprint(bastion.host_keys[0]), False),
        (True, fingerprint(board.host_keys[0]), False),
    ]
    written = (home / "known").read_text()
    assert written.count("|1|") == 2
    assert "127.0.0.1" not in written
    found = subprocess.run(
        ["ssh-keygen", "-F", f"[127.0.0.1]:{board.port}", "-f", str(home / "known")],
        check=False,
        capture_output=True,
    )
    assert found.returncode == 0, "ssh-keygen reads what we write"


def test_the_command_asks_nobody_without_a_terminal(board: Sshd, home: Path) -> None:
    """It says what to compare and what to pass, and changes nothing."""
    done = trust(home, "tx2-01")
    assert done.returncode == 1
    assert fingerprint(board.host_keys[0]) in done.stderr
    assert "--fingerprint" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (home / "new").exists()


def test_the_command_takes_a_key_with_the_right_fingerprint(board: Sshd, home: Path) -> None:
    """Another one it refuses; the file is the user's alone; the second time it is known."""
    wrong = trust(home, "--fingerprint", "SHA256:" + "A" * 43)
    assert wrong.returncode == 1
    assert "another key" in wrong.stderr
    right = fingerprint(board.host_keys[0])
    done = trust(home, "tx2-01", "--fingerprint", right)
    assert (done.returncode, done.stderr) == (0, "")
    assert right in done.stdout
    known = home / "new" / "known_hosts"
    assert stat.S_IMODE(known.stat().st_mode) == 0o600
    assert stat.S_IMODE(known.parent.stat().st_mode) == 0o700
    before = known.read_text()
    again = trust(home, "tx2-01", "--yes")
    assert again.returncode == 0
    assert "known already" in again.stdout
    assert known.read_text() == before


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 1), ("", 1)])
def test_the_command_asks_on_a_terminal(board: Sshd, home: Path, answer: str, status: int) -> None:
    """Yes has to be said; nothing is not yes."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "jetbench", "boards", "trust"],
        cwd=home,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    out, err = process.communicate(timeout=30)
    os.close(ours)
    assert process.returncode == status
    assert fingerprint(board.host_keys[0]).encode() in err
    assert b"ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in err
    assert (b"trusted from now on" in out) is (status == 0)
    assert (home / "new" / "known_hosts").exists() is (status == 0)


def test_a_board_that_is_off_does_not_keep_the_others_from_being_trusted(
    board: Sshd, home: Path
) -> None:
    """One error for it, one line for the other, and exit code 1."""
    inventory = home / "inventory.yaml"
    text = inventory.read_text()
    inventory.write_text(
        text.replace("boards:\n", "boards:\n  off:\n    host: no-such-host.invalid\n")
    )
    done = trust(home, "--yes")
    assert done.returncode == 1
    assert "error: off: no-such-host.invalid cannot be resolved" in done.stderr
    assert fingerprint(board.host_keys[0]) in done.stdout


def test_many_at_once_write_each_key_once(board: Sshd, home: Path) -> None:
    """Appending is done under a lock, also between connectors."""
    target = board.board(known_hosts=str(home / "shared"))

    def work() -> None:
        with Connector() as connector:
            for offer in offers(connector, target):
                enrol(connector, offer)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len((home / "shared").read_text().splitlines()) == 1
