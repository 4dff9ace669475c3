"""Boards behind jump hosts and proxy commands, and what ssh_config says of them."""

from __future__ import annotations

import getpass
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import (
    ChangedHostKeyError,
    HostKeyError,
    LinkLostError,
    UnknownHostKeyError,
    UnreachableError,
)
from jetbench.remote import link as link_module
from jetbench.remote.connection import Connector
from tests.remote.sshd import free_port, make_key, public
from tests.remote.test_connection import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.remote.conftest import StartRelay, StartSshd
    from tests.remote.sshd import Sshd


def write_config(home: Path, text: str) -> None:
    """The user's ssh_config."""
    (home / ".ssh" / "config").write_text(text)


def bastion_block(bastion: Sshd, *, key: Path) -> str:
    """A jump host in ssh_config."""
    return (
        f"Host bastion\n HostName 127.0.0.1\n Port {bastion.port}\n IdentityFile {key}\n"
        f" UserKnownHostsFile {bastion.enrol()}\n User {getpass.getuser()}\n"
    )


def test_sixteen_boards_share_one_connection_to_their_jump_host(
    start_sshd: StartSshd, start_relay: StartRelay, home: Path
) -> None:
    """One login at the bastion, however many boards lie behind it."""
    bastion, board = start_sshd("bastion"), start_sshd("board")
    relay = start_relay(bastion.port)
    write_config(
        home,
        bastion_block(bastion, key=bastion.key).replace(
            f"Port {bastion.port}", f"Port {relay.port}"
        ),
    )
    bastion.enrol(port=relay.port)
    board.enrol()

    def work(number: int) -> bytes:
        with connector.connect(board.board(f"b{number}", jump="bastion")) as link:
            return run(link, "echo in")[0]

    with Connector() as connector, ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(16))) == [b"in\n"] * 16
    assert relay.accepted == 1
    assert bastion.log().count("Accepted publickey") == 1


def test_two_jump_hosts_in_a_row(start_sshd: StartSshd, home: Path) -> None:
    """Given in the inventory, the second with user and port."""
    first, second, board = start_sshd("first"), start_sshd("second"), start_sshd("board")
    write_config(home, bastion_block(first, key=first.key))
    known = second.enrol(file=board.enrol())
    second.authorize(board.key)
    jump = f"bastion,{getpass.getuser()}@127.0.0.1:{second.port}"
    with (
        Connector() as connector,
        connector.connect(board.board(jump=jump, known_hosts=str(known))) as link,
    ):
        assert run(link, "echo in") == (b"in\n", 0)
    assert "direct-tcpip" in first.log()
    assert "direct-tcpip" in second.log()


def test_proxyjump_of_ssh_config_counts_and_the_inventory_can_say_none(
    start_sshd: StartSshd, home: Path
) -> None:
    """`jump: none` goes directly where ssh_config would not."""
    bastion, board = start_sshd("bastion"), start_sshd("board")
    board.enrol()
    write_config(
        home,
        bastion_block(bastion, key=bastion.key)
        + f"Host *\n ProxyJump bastion\nHost lab\n HostName 127.0.0.1\n Port {board.port}\n",
    )
    with Connector() as connector:
        connector.connect(board.board(host="lab", port=None)).close()
        assert bastion.log().count("Accepted publickey") == 1
        connector.connect(board.board(host="lab", port=None, jump="none")).close()
    assert bastion.log().count("Accepted publickey") == 1
    assert board.log().count("Accepted publickey") == 2


def test_an_unknown_jump_host_is_named(start_sshd: StartSshd, home: Path) -> None:
    """Every board behind it gets the same answer, and the bastion is asked only once."""
    bastion, board = start_sshd("bastion"), start_sshd("board")
    text = bastion_block(bastion, key=bastion.key)
    write_config(home, text.replace("UserKnownHostsFile", "#"))
    board.enrol()
    with Connector() as connector:
        for _ in range(2):
            with pytest.raises(
                UnknownHostKeyError, match=f"jump host .*:{bastion.port}: its host"
            ):
                connector.connect(board.board(jump="bastion"))
    assert bastion.log().count("Connection from") == 2, "one is the fixture's"


def test_a_board_that_its_jump_host_cannot_reach(start_sshd: StartSshd, home: Path) -> None:
    """The message says from where it could not be reached."""
    bastion, board = start_sshd("bastion"), start_sshd("board")
    write_config(home, bastion_block(bastion, key=bastion.key))
    with (
        Connector() as connector,
        pytest.raises(UnreachableError, match=r"jump host .* cannot reach"),
    ):
        connector.connect(board.board(port=free_port(), jump="bastion"))


def test_a_dead_board_behind_a_jump_host_is_noticed(
    start_sshd: StartSshd, start_relay: StartRelay, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked after a silence, and the link is lost when no answer comes."""
    monkeypatch.setattr(link_module, "_SILENCE_S", 0.3)
    monkeypatch.setattr(link_module, "_ANSWER_S", 0.6)
    bastion, board = start_sshd("bastion"), start_sshd("board")
    relay = start_relay(board.port)
    write_config(home, bastion_block(bastion, key=bastion.key))
    board.enrol(port=relay.port)
    with (
        Connector() as connector,
        connector.connect(board.board(port=relay.port, jump="bastion")) as link,
        link.open_exec("echo begun; sleep 20", timeout_s=10) as channel,
    ):
        assert channel.recv(10) == b"begun\n"
        assert channel.recv(2.0) is None, "a living board answers, and stays"
        relay.freeze()
        with pytest.raises(LinkLostError):
            channel.recv(15)


def test_a_proxy_command_carries_the_connection_and_ends_with_it(
    start_sshd: StartSshd, home: Path
) -> None:
    """With its tokens expanded; the link notices its end at once."""
    board = start_sshd()
    board.enrol()
    program = home / "proxy.py"
    program.write_text(
        "import os, socket, sys, threading\n"
        "s = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
        "open(sys.argv[3], 'w').write(str(os.getpid()))\n"
        "def out():\n"
        "    while d := s.recv(65536): os.write(1, d)\n"
        "    os._exit(0)\n"
        "threading.Thread(target=out).start()\n"
        "while d := os.read(0, 65536): s.sendall(d)\n"
        "os._exit(0)\n"
    )
    pid = home / "pid"
    write_config(
        home,
        f"Host lab\n HostName 127.0.0.1\n ProxyCommand {sys.executable} {program} %h %p {pid}\n"
        " ProxyJump never-used\n",
    )
    with Connector() as connector, connector.connect(board.board(host="lab")) as link:
        assert run(link, "echo in") == (b"in\n", 0)
        with link.open_exec("sleep 20", timeout_s=10) as channel:
            os.kill(int(pid.read_text()), signal.SIGKILL)
            with pytest.raises(LinkLostError):
                channel.recv(15)


def test_a_proxy_command_that_fails_is_told(start_sshd: StartSshd, home: Path) -> None:
    """With its exit status, and how to see more."""
    board = start_sshd()
    write_config(home, "Host *\n ProxyCommand sh -c 'exit 5'\n")
    with Connector() as connector, pytest.raises(UnreachableError, match="status 5"):
        connector.connect(board.board())


def other_key(server: Sshd, folder: Path) -> str:
    """A line of known_hosts that says another key of a server than it has."""
    return f"[127.0.0.1]:{server.port} {' '.join(public(make_key(folder / 'other')))}\n"


def test_a_jump_host_with_a_changed_key_gets_no_login(
    start_sshd: StartSshd, home: Path, tmp_path: Path
) -> None:
    """Whoever stands in its place is shown no key of ours, and no board is asked for."""
    bastion, board = start_sshd("bastion"), start_sshd("board")
    write_config(home, bastion_block(bastion, key=bastion.key))
    (bastion.folder / "known_hosts").write_text(other_key(bastion, tmp_path))
    board.enrol()
    with Connector() as connector, pytest.raises(ChangedHostKeyError, match=r"jump .*CHANGED"):
        connector.connect(board.board(jump="bastion"))
    assert "userauth" not in bastion.log()
    assert "direct-tcpip" not in bastion.log()


def test_a_revoked_key_of_a_jump_host_is_refused(start_sshd: StartSshd, home: Path) -> None:
    """Though another line knows it."""
    bastion, board = start_sshd("bastion"), start_sshd("board")
    write_config(home, bastion_block(bastion, key=bastion.key))
    board.enrol()
    known = bastion.folder / "known_hosts"
    known.write_text(known.read_text() + "@revoked " + known.read_text())
    with Connector() as connector, pytest.raises(HostKeyError, match=r"jump host .*REVOKED"):
        connector.connect(board.board(jump="bastion"))
    assert "userauth" not in bastion.log()


def test_the_second_of_two_jump_hosts_is_checked_too(start_sshd: StartSshd, home: Path) -> None:
    """Each on the way: a trusted first one vouches for nobody."""
    first, second, board = start_sshd("first"), start_sshd("second"), start_sshd("board")
    write_config(home, bastion_block(first, key=first.key))
    known = board.enrol()
    second.authorize(board.key)
    jump = f"bastion,{getpass.getuser()}@127.0.0.1:{second.port}"
    with (
        Connector() as connector,
        pytest.raises(UnknownHostKeyError, match=f"jump host .*:{second.port}: its host"),
    ):
        connector.connect(board.board(jump=jump, known_hosts=str(known)))
    assert "userauth" not in second.log()


@pytest.mark.parametrize("known", ["nothing", "another key"])
def test_a_board_behind_a_jump_host_is_checked_by_its_own_key(
    start_sshd: StartSshd, home: Path, tmp_path: Path, known: str
) -> None:
    """A jump host that leads elsewhere, or listens in between, is found out."""
    bastion, board = start_sshd("bastion"), start_sshd("board")
    write_config(home, bastion_block(bastion, key=bastion.key))
    text = "" if known == "nothing" else other_key(board, tmp_path)
    (board.folder / "known_hosts").write_text(text)
    error = UnknownHostKeyError if known == "nothing" else ChangedHostKeyError
    with Connector() as connector, pytest.raises(error) as caught:
        connector.connect(board.board(jump="bastion"))
    assert "jump host" not in str(caught.value)
    assert "direct-tcpip" in bastion.log()
    assert "userauth" not in board.log()
