"""A server that keeps to nothing: what it sends is bounded, and ends as an error."""

from __future__ import annotations

import re
import socket
import threading
import time
import tracemalloc
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import paramiko
import pytest
from paramiko.common import cMSG_CHANNEL_WINDOW_ADJUST

import jetbench
from jetbench.domain.board import Board
from jetbench.domain.errors import LinkLostError, UnreachableError
from jetbench.formats.inventory import parse_inventory
from jetbench.remote import link as link_module
from jetbench.remote.connection import Connector
from jetbench.store import archive, bring_in
from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.processes import Command
from tests.virtual.helpers import FAST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jetbench.remote.connection import ExecChannel

MIB = 2**20


@contextmanager
def answering(first: bytes, then: bytes, pause_s: float = 0) -> Iterator[int]:
    """A port that sends `first` to whoever connects, and then `then` without end."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, suppress(OSError):
                        connection.sendall(first)
                        while True:
                            connection.sendall(then)
                            time.sleep(pause_s)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        (b"", b"x" * MIB, "greeting without end"),
        (b"", b"\x1b[2J\n" * 1000, "no SSH with"),
        (b"SSH-2.0-x" + b"y" * 1000, b"z" * MIB, "greeting without end"),
        (b"SSH-2.0-x\r\n\x3f\xff\xff\xf4", b"\0" * MIB, "a packet of 1073741"),
        (b"SSH-2.0-x\r\n\xff\xff\xff\xfc", b"\0" * MIB, "a packet of 42949"),
        (b"SSH-2.0-x\r\n\0\0\0\x0c\x0a", b"\x1b" * MIB, "no SSH with"),
    ],
)
def test_a_handshake_without_measure_is_refused(
    tmp_path: Path, first: bytes, then: bytes, words: str
) -> None:
    """A line or a packet of a gigabyte is not read; the reason is told, escaped."""
    with answering(first, then) as port, Connector(connect_timeout_s=10) as connector:
        board = Board(
            name="one", host="127.0.0.1", port=port, user="u", known_hosts=str(tmp_path / "none")
        )
        tracemalloc.start()
        try:
            with pytest.raises(UnreachableError) as caught:
                connector.fetch_host_key(connector.route(board), board.name)
            assert tracemalloc.get_traced_memory()[1] < 20 * MIB
        finally:
            tracemalloc.stop()
    assert words in caught.value.message
    assert caught.value.message.isprintable()


def test_a_channel_that_ignores_its_window_ends_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody has asked for and nobody reads does not pile up here."""

    def flood(command: Command) -> None:
        channel = cast("Any", command)._channel
        channel.out_window_size = 2**40
        with suppress(OSError, EOFError):
            while True:
                channel.sendall(b"x" * 32_768)

    monkeypatch.setattr(Command, "run", flood)
    with VirtualFleet(1, tmp_path / "fleet", FAST) as fleet:
        (board,) = parse_inventory(fleet.inventory_text(), "inventory.yaml").boards
        with Connector() as connector, connector.connect(board) as link:
            channel = link.open_exec("true", timeout_s=10)
            give_up_s = time.monotonic() + 60
            while link.alive:
                assert time.monotonic() < give_up_s
                time.sleep(0.01)
            with pytest.raises(LinkLostError):
                all_of(channel)


def all_of(channel: ExecChannel) -> None:
    """Take what has come, which is no more than two windows."""
    received = 0
    while data := channel.recv(5):
        received += len(data)
        assert received < 8 * MIB


@pytest.mark.parametrize(
    "first", [b"", b"SSH-2.0-x\r\n", b"x\n", b"SSH-2.0-x\r\n\0\0\x0f\xfc\x0a"]
)
def test_a_server_that_sends_a_drop_at_a_time_is_not_waited_for(
    tmp_path: Path, first: bytes
) -> None:
    """A handshake that is never silent and never done ends with its time."""
    with answering(first, b"\0", 0.05) as port, Connector(connect_timeout_s=1) as connector:
        board = Board(
            name="one", host="127.0.0.1", port=port, user="u", known_hosts=str(tmp_path / "none")
        )
        with pytest.raises(UnreachableError):
            connector.fetch_host_key(connector.route(board), board.name)


def test_a_board_that_takes_a_drop_at_a_time_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent to it comes to an end, even where it takes a byte now and then."""

    def sip(command: Command) -> None:
        channel = cast("Any", command)._channel
        with suppress(OSError, EOFError):
            while True:
                more = paramiko.Message()
                more.add_byte(cMSG_CHANNEL_WINDOW_ADJUST)
                more.add_int(channel.remote_chanid)
                more.add_int(1)
                channel.transport._send_user_message(more)
                time.sleep(0.05)

    monkeypatch.setattr(Command, "run", sip)
    monkeypatch.setattr(link_module, "_SEND_STALL_S", 1.0)
    monkeypatch.setattr(link_module, "_SEND_LEAST_BYTES_S", 16 * MIB)
    with VirtualFleet(1, tmp_path / "fleet", FAST) as fleet:
        (board,) = parse_inventory(fleet.inventory_text(), "inventory.yaml").boards
        with Connector() as connector, connector.connect(board) as link:
            channel = link.open_exec("true", timeout_s=10)
            with pytest.raises(LinkLostError, match=r"has taken \d+ of"):
                channel.send(b"x" * 16 * MIB)


def test_no_archive_that_a_board_sends_is_opened() -> None:
    """Archives go to boards and never come from one: `tarfile` is there to write only.

    But where a user brings in a colleague's sweeps, which nothing that talks to boards does.
    """
    sources = set(Path(jetbench.__file__).parent.rglob("*.py"))
    sources -= {Path(archive.__file__), Path(bring_in.__file__)}
    calls = [
        line.strip()
        for source in sources
        for line in source.read_text(encoding="utf-8").splitlines()
        if re.search(r"tarfile\.|zipfile|unpack_archive|extractall", line)
    ]
    assert [line for line in calls if "TarInfo" not in line] == [
        'with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:'
    ]
