"""Connections to a real OpenSSH server on loopback."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.board import Board
from jetbench.domain.errors import (
    BoardAnswerError,
    ChangedHostKeyError,
    HostKeyError,
    LinkLostError,
    LoginError,
    UnknownHostKeyError,
    UnreachableError,
)
from jetbench.remote.connection import Connector
from jetbench.remote.handshake import Gate
from tests.remote.sshd import fingerprint, free_port, make_key, public

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.remote.link import ExecChannel, Link
    from tests.remote.conftest import StartRelay, StartSshd


def everything(channel: ExecChannel, timeout_s: float = 20.0) -> bytes:
    """All that a command writes until it ends its output."""
    parts = []
    while data := channel.recv(timeout_s):
        parts.append(data)
    assert data == b"", "the command fell silent"
    return b"".join(parts)


def run(link: Link, command: str) -> tuple[bytes, int | None]:
    """A command's output and status."""
    with link.open_exec(command, timeout_s=10) as channel:
        channel.shut_stdin()
        return everything(channel), channel.exit_status(10)


def test_a_command_gets_its_input_and_gives_output_and_status(start_sshd: StartSshd) -> None:
    """Input larger than any window goes in, the same comes out, and the status is told."""
    server = start_sshd()
    server.enrol()
    data = bytes(range(256)) * 12_000
    with Connector() as connector, connector.connect(server.board()) as link:
        assert link.alive
        with link.open_exec("head -c 3072000; exit 7", timeout_s=10) as channel:
            sender = threading.Thread(target=channel.send, args=(data,))
            sender.start()
            received = everything(channel)
            sender.join(10)
            assert received == data
            assert channel.exit_status(10) == 7
    assert not link.alive


def test_several_commands_share_a_link(start_sshd: StartSshd) -> None:
    """A second command runs while the first one waits."""
    server = start_sshd()
    server.enrol()
    with (
        Connector() as connector,
        connector.connect(server.board()) as link,
        link.open_exec("cat", timeout_s=10) as waiting,
    ):
        assert waiting.recv(0.05) is None
        assert waiting.exit_status(0.05) is None
        assert run(link, "echo other") == (b"other\n", 0)
        waiting.send(b"x")
        waiting.shut_stdin()
        assert everything(waiting) == b"x"
        assert waiting.exit_status(10) == 0


def test_a_flood_of_errors_does_not_stop_the_output(start_sshd: StartSshd) -> None:
    """More on standard error than a channel's window holds is drained; its tail is kept."""
    server = start_sshd()
    server.enrol()
    flood = "yes noise | head -c 5000000 >&2; echo out; echo the end >&2"
    with (
        Connector() as connector,
        connector.connect(server.board()) as link,
        link.open_exec(flood, timeout_s=10) as channel,
    ):
        assert everything(channel) == b"out\n"
        assert channel.exit_status(10) == 0
        assert channel.stderr_tail.endswith(b"the end\n")
        assert len(channel.stderr_tail) <= 4096


def test_input_that_a_command_does_not_want_is_dropped(start_sshd: StartSshd) -> None:
    """The command's own status tells the story, not a broken pipe here."""
    server = start_sshd()
    server.enrol()
    with (
        Connector() as connector,
        connector.connect(server.board()) as link,
        link.open_exec("exit 3", timeout_s=10) as channel,
    ):
        channel.send(b"x" * 10_000_000)
        assert everything(channel) == b""
        assert channel.exit_status(10) == 3


def test_a_command_that_a_signal_ends_is_told_apart_from_a_lost_link(
    start_sshd: StartSshd,
) -> None:
    """Status -1 with the link alive."""
    server = start_sshd()
    server.enrol()
    with Connector() as connector, connector.connect(server.board()) as link:
        with link.open_exec("kill -9 $$", timeout_s=10) as channel:
            assert everything(channel) == b""
            assert channel.exit_status(10) == -1
        assert link.alive


def test_a_cut_link_is_lost(start_sshd: StartSshd, start_relay: StartRelay) -> None:
    """Whoever waits for output or for a status is told that the connection broke."""
    server = start_sshd()
    relay = start_relay(server.port)
    server.enrol(port=relay.port)
    with Connector() as connector, connector.connect(server.board(port=relay.port)) as link:
        with (
            link.open_exec("echo begun; sleep 20", timeout_s=10) as first,
            link.open_exec("sleep 20", timeout_s=10) as second,
        ):
            assert first.recv(10) == b"begun\n"
            relay.cut()
            with pytest.raises(LinkLostError):
                first.recv(10)
            with pytest.raises(LinkLostError):
                second.exit_status(10)
            with pytest.raises(LinkLostError):
                second.send(b"x")
        assert not link.alive
        with pytest.raises(LinkLostError):
            link.open_exec("true", timeout_s=10)


def test_closing_a_link_wakes_who_waits_on_it(start_sshd: StartSshd) -> None:
    """Ctrl-C closes the links from another thread."""
    server = start_sshd()
    server.enrol()
    with (
        Connector() as connector,
        connector.connect(server.board()) as link,
        link.open_exec("sleep 20", timeout_s=10) as channel,
    ):
        closer = threading.Timer(0.1, link.close)
        closer.start()
        with pytest.raises(LinkLostError):
            channel.recv(15)
        closer.join()


def test_a_frozen_board_does_not_hold_a_command_for_ever(
    start_sshd: StartSshd, start_relay: StartRelay
) -> None:
    """Opening a command ends in time where the answer never comes."""
    server = start_sshd()
    relay = start_relay(server.port)
    server.enrol(port=relay.port)
    with Connector() as connector, connector.connect(server.board(port=relay.port)) as link:
        relay.freeze()
        with pytest.raises(LinkLostError, match="within 1 s"):
            link.open_exec("true", timeout_s=1)


def test_a_board_that_allows_no_sessions_is_understood(start_sshd: StartSshd) -> None:
    """MaxSessions 0 lets nobody run anything."""
    server = start_sshd("board", "MaxSessions 0")
    server.enrol()
    with (
        Connector() as connector,
        connector.connect(server.board()) as link,
        pytest.raises(BoardAnswerError, match="another session"),
    ):
        link.open_exec("true", timeout_s=10)


def test_an_unknown_host_key_is_refused_with_its_fingerprint(start_sshd: StartSshd) -> None:
    """The hint is the command that enrols it, and nothing was tried to log in."""
    server = start_sshd()
    with Connector() as connector, pytest.raises(UnknownHostKeyError) as caught:
        connector.connect(server.board())
    assert fingerprint(server.host_keys[0]) in caught.value.message
    assert "ssh-ed25519" in caught.value.message
    assert caught.value.hint == "jetbench boards trust tx2-01"
    assert "userauth" not in server.log()


def test_a_changed_host_key_is_refused_loudly(start_sshd: StartSshd, tmp_path: Path) -> None:
    """Both fingerprints, the line of the old one, and what to do."""
    server = start_sshd()
    old = make_key(tmp_path / "old")
    known = tmp_path / "board" / "known_hosts"
    known.write_text(f"# a comment\n[127.0.0.1]:{server.port} {' '.join(public(old))}\n")
    with Connector() as connector, pytest.raises(ChangedHostKeyError) as caught:
        connector.connect(server.board())
    assert "HAS CHANGED" in caught.value.message
    assert f"{known}:2" in caught.value.message
    assert fingerprint(old) in caught.value.message
    assert fingerprint(server.host_keys[0]) in caught.value.message
    assert caught.value.hint is not None
    assert f"ssh-keygen -R '[127.0.0.1]:{server.port}' -f {known}" in caught.value.hint
    assert "jetbench boards trust tx2-01" in caught.value.hint


def test_another_type_of_key_than_the_known_one_counts_as_changed(
    start_sshd: StartSshd, tmp_path: Path
) -> None:
    """Who sits in between could always offer another type."""
    server = start_sshd()
    old = make_key(tmp_path / "old", "ecdsa")
    known = tmp_path / "board" / "known_hosts"
    known.write_text(f"[127.0.0.1]:{server.port} {' '.join(public(old))}\n")
    with Connector() as connector, pytest.raises(ChangedHostKeyError):
        connector.connect(server.board())


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_a_server_is_asked_for_the_key_it_is_known_by(
    start_sshd: StartSshd, tmp_path: Path, kind: str
) -> None:
    """A board with several host keys shows the one that is in known_hosts."""
    keys = tuple(make_key(tmp_path / f"host_{name}", name) for name in ("rsa", "ecdsa", "ed25519"))
    server = start_sshd(host_keys=keys)
    known = next(key for key in keys if key.name.endswith(kind))
    (tmp_path / "board" / "known_hosts").write_text(
        f"[127.0.0.1]:{server.port} {' '.join(public(known))}\n"
    )
    with Connector() as connector, connector.connect(server.board()) as link:
        assert run(link, "echo in") == (b"in\n", 0)


def test_a_revoked_host_key_is_refused(start_sshd: StartSshd) -> None:
    """A revocation beats a line that trusts the same key."""
    server = start_sshd()
    known = server.enrol()
    known.write_text(f"@revoked * {' '.join(public(server.host_keys[0]))}\n" + known.read_text())
    with Connector() as connector, pytest.raises(HostKeyError, match="REVOKED"):
        connector.connect(server.board())


def test_an_explicit_key_is_the_only_one_offered(start_sshd: StartSshd, home: Path) -> None:
    """A key of the home that would be taken is not tried beside the one of the inventory."""
    server = start_sshd()
    server.enrol()
    server.authorize(make_key(home / ".ssh" / "id_ed25519"))
    with Connector() as connector, pytest.raises(LoginError) as caught:
        connector.connect(server.board())
    assert str(server.key) in caught.value.message
    assert caught.value.hint is not None
    assert "ssh-copy-id" in caught.value.hint
    assert server.log().count("Failed publickey") == 1


def test_default_keys_are_tried_where_none_is_named(start_sshd: StartSshd, home: Path) -> None:
    """The files that ssh would take from ~/.ssh."""
    server = start_sshd()
    server.enrol()
    make_key(home / ".ssh" / "id_ed25519")
    server.authorize(make_key(home / ".ssh" / "id_rsa", "rsa"))
    with Connector() as connector:
        for _ in range(2):
            with connector.connect(server.board(key=None)) as link:
                assert run(link, "echo in") == (b"in\n", 0)
    assert server.log().count("Failed publickey") == 1, "the second time the right one is first"


def test_no_key_at_all_is_told(start_sshd: StartSshd) -> None:
    """There is nothing to offer, and the hint says how to get something."""
    server = start_sshd()
    server.enrol()
    with Connector() as connector, pytest.raises(LoginError, match="no key"):
        connector.connect(server.board(key=None))


def test_a_missing_key_file_is_told(start_sshd: StartSshd) -> None:
    """The inventory names a file that is not there."""
    server = start_sshd()
    with Connector() as connector, pytest.raises(LoginError, match="does not exist"):
        connector.connect(server.board(key="~/.ssh/nothing"))


def test_a_server_that_takes_no_keys_is_told(start_sshd: StartSshd) -> None:
    """What it takes instead stands in the message."""
    server = start_sshd("board", "PubkeyAuthentication no", "PasswordAuthentication yes")
    server.enrol()
    with Connector() as connector, pytest.raises(LoginError, match="password"):
        connector.connect(server.board())


def test_nobody_listens(home: Path) -> None:
    """A refused connection is told from a name that cannot be resolved."""
    key = make_key(home / "id")
    with Connector() as connector:
        board = make_board(free_port(), key)
        with pytest.raises(UnreachableError, match="refuses the connection"):
            connector.connect(board)


def test_a_name_that_does_not_exist(home: Path) -> None:
    """The name server's answer, and where the name comes from."""
    key = make_key(home / "id")
    with (
        Connector() as connector,
        pytest.raises(UnreachableError, match="cannot be resolved"),
    ):
        connector.connect(make_board(22, key, host="no-such-host.invalid"))


def test_a_server_that_is_silent_is_given_up(home: Path) -> None:
    """It takes the connection and says nothing."""
    key = make_key(home / "id")
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        Connector(connect_timeout_s=0.5) as c,
        pytest.raises(UnreachableError, match="does not finish the SSH handshake"),
    ):
        c.connect(make_board(silent.getsockname()[1], key))


def test_drops_before_the_banner_are_tried_again(
    start_sshd: StartSshd, start_relay: StartRelay
) -> None:
    """As sshd drops connections beyond MaxStartups."""
    server = start_sshd()
    relay = start_relay(server.port)
    relay.drop_first = 2
    server.enrol(port=relay.port)
    with Connector() as connector, connector.connect(server.board(port=relay.port)) as link:
        assert run(link, "echo in") == (b"in\n", 0)
    assert relay.accepted == 3


def test_nothing_of_paramiko_reaches_the_terminal(
    start_sshd: StartSshd, start_relay: StartRelay, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither its log nor the traceback of a thread of its."""
    server = start_sshd()
    relay = start_relay(server.port)
    relay.drop_first = 1
    server.enrol(port=relay.port)
    with Connector() as connector, connector.connect(server.board(port=relay.port)) as link:
        relay.cut()
        with pytest.raises(LinkLostError):
            link.open_exec("true", timeout_s=5)
    assert capfd.readouterr() == ("", "")


def test_many_threads_share_a_connector(start_sshd: StartSshd) -> None:
    """Thirty-two boards at once, each with a connection of its own."""
    server = start_sshd()
    server.enrol()

    def work(number: int) -> bytes:
        with connector.connect(server.board(f"board-{number}")) as link:
            return run(link, f"echo {number}")[0]

    with Connector() as connector, ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(work, range(32)))
    assert answers == [b"%d\n" % number for number in range(32)]


def make_board(port: int, key: Path, host: str = "127.0.0.1") -> Board:
    """A board with nothing of its own behind it."""
    return Board(name="tx2-01", host=host, port=port, user="nvidia", key=str(key))


def test_nobody_logs_in_where_the_host_key_was_not_checked(
    start_sshd: StartSshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that is never called must not count as one that was passed."""
    server = start_sshd()
    server.enrol()
    monkeypatch.delattr(Gate, "missing_host_key")
    with Connector() as connector, pytest.raises(HostKeyError, match="not been checked"):
        connector.connect(server.board())
    assert "Accepted" not in server.log()
