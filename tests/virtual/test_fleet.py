"""A fleet of virtual boards: what it keeps, and what can be done to it."""

from __future__ import annotations

import socket
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import paramiko
import pytest

from jetbench.formats.inventory import parse_inventory
from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions, Faults
from tests.virtual.helpers import FAST, connected, opened, processes_of, run

if TYPE_CHECKING:
    from pathlib import Path


def test_an_inventory_of_it_is_valid(tmp_path: Path) -> None:
    """It names every board, with all that is needed to connect."""
    with VirtualFleet(3, tmp_path / "a fleet", FAST) as fleet:
        inventory = parse_inventory(fleet.inventory_text(), "virtual.yaml")
        assert [board.name for board in inventory.boards] == [board.name for board in fleet.boards]
        first = inventory.boards[0]
        assert (first.host, first.port, first.user) == (
            "127.0.0.1",
            fleet.boards[0].port,
            "nvidia",
        )
        assert (first.key, first.known_hosts) == (str(fleet.key), str(fleet.known_hosts))


def test_everything_is_for_its_owner_only(tmp_path: Path) -> None:
    """Neither keys nor boards can be read by others."""
    fleet = VirtualFleet(1, tmp_path / "fleet", FAST)
    with fleet:
        for path in (fleet.directory, fleet.boards[0].root, fleet.key):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_same_folder_is_the_same_fleet(tmp_path: Path) -> None:
    """Keys, ports, the power mode and the user's files are there again."""
    with VirtualFleet(2, tmp_path, FAST) as before:
        with connected(before, before.boards[0]) as client:
            run(client, "sudo nvpmodel -m 1; echo kept >file")
        text, hosts = before.inventory_text(), before.known_hosts.read_text()
    with VirtualFleet(2, tmp_path, FAST) as after:
        assert (after.inventory_text(), after.known_hosts.read_text()) == (text, hosts)
        with connected(after, after.boards[0]) as client:
            assert run(client, "nvpmodel -q; cat file").out == "NV Power Mode: MAXQ\n1\nkept\n"


def test_a_port_that_is_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    """The board takes another, and inventory and known_hosts say so."""
    with VirtualFleet(1, tmp_path, FAST) as fleet:
        port = fleet.boards[0].port
    with socket.create_server(("127.0.0.1", port)), VirtualFleet(1, tmp_path, FAST) as fleet:
        assert fleet.boards[0].port != port
        with connected(fleet, fleet.boards[0]) as client:
            assert run(client, "true").status == 0


def test_cut_closes_connections_and_leaves_the_rest(tmp_path: Path) -> None:
    """The client sees its link broken at once; the board runs on and takes new connections."""
    with VirtualFleet(1, tmp_path, FAST) as fleet:
        board = fleet.boards[0]
        with connected(fleet, board) as client:
            channel = opened(client)
            channel.exec_command("mkfifo go; (read -r _ <go; echo 1 >on) & echo up; wait")
            assert channel.recv(3) == b"up\n"
            board.cut()
            assert channel.recv(1) == b""
            assert channel.recv_exit_status() == -1
        with connected(fleet, board) as client:
            run(client, "echo 1 >go; until [ -s on ]; do sleep 0.05; done")


def test_pause_refuses_and_resume_answers(tmp_path: Path) -> None:
    """A paused board refuses connections and keeps those it has, and its port."""
    with VirtualFleet(1, tmp_path, FAST) as fleet:
        board = fleet.boards[0]
        with connected(fleet, board) as client:
            board.pause()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", board.port), timeout=20)
            assert run(client, "echo still").out == "still\n"
            board.resume()
            with connected(fleet, board) as again:
                assert run(again, "echo back").out == "back\n"


def test_hang_falls_silent_without_an_end(tmp_path: Path) -> None:
    """Nothing comes any more and nothing is closed; a new connection works."""
    with VirtualFleet(1, tmp_path, FAST) as fleet:
        board = fleet.boards[0]
        with connected(fleet, board) as client:
            channel = opened(client)
            channel.exec_command("cat")
            channel.sendall(b"x")
            assert channel.recv(1) == b"x"
            board.hang()
            channel.sendall(b"y")
            channel.settimeout(0.5)
            with pytest.raises(TimeoutError):
                channel.recv(1)
            with connected(fleet, board) as again:
                assert run(again, "echo new").out == "new\n"


def test_a_board_that_stays_off_refuses(tmp_path: Path) -> None:
    """It has a port in the inventory, and nobody answers there."""
    off = replace(FAST, faults=Faults(stays_off=True))
    with VirtualFleet(2, tmp_path, [off, FAST]) as fleet:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", fleet.boards[0].port), timeout=20)
        with connected(fleet, fleet.boards[1]) as client:
            assert run(client, "true").status == 0


def test_a_link_breaks_after_so_many_bytes(tmp_path: Path) -> None:
    """Each connection carries only as much as it is told to."""
    options = replace(FAST, faults=Faults(drop_after_bytes=60_000))
    with (
        VirtualFleet(1, tmp_path, [options]) as fleet,
        connected(fleet, fleet.boards[0]) as client,
    ):
        channel = opened(client)
        channel.exec_command("head -c 200000 /dev/zero")
        assert 10_000 < len(channel.makefile("rb").read()) < 60_000
        assert channel.recv_exit_status() == -1


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_nothing_runs_on_when_the_fleet_is_gone(tmp_path: Path) -> None:
    """Also a process that has left its session ends with its board."""
    with VirtualFleet(1, tmp_path, FAST) as fleet:
        board = fleet.boards[0]
        with connected(fleet, board) as client:
            run(client, "setsid sleep 600 </dev/null >/dev/null 2>&1 &")
            run(client, "sudo -n setsid sleep 600 </dev/null >/dev/null 2>&1 &")
        assert len(processes_of(board.root)) >= 2
    assert processes_of(board.root) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_reboot_keeps_the_mode_and_loses_clocks_and_processes(tmp_path: Path) -> None:
    """What was locked is not locked any more; the mode and files are as they were."""
    with VirtualFleet(1, tmp_path, FAST) as fleet:
        board = fleet.boards[0]
        with connected(fleet, board) as client:
            run(client, "sudo nvpmodel -m 0; sudo ./jetson_clocks.sh; echo kept >file")
            run(client, "setsid sleep 600 </dev/null >/dev/null 2>&1 &")
            board.reboot()
        assert processes_of(board.root) == []
        with connected(fleet, board) as client:
            answer = run(client, "nvpmodel -q; cat file; sudo ./jetson_clocks.sh --show")
            assert answer.out.startswith("NV Power Mode: MAXN\n0\nkept\n")
            assert "GPU MinFreq=114750000 MaxFreq=1300500000" in answer.out


def test_sixty_four_boards_in_one_process(tmp_path: Path) -> None:
    """Each has four connections at once, and every command its own answer."""
    with VirtualFleet(64, tmp_path, FAST) as fleet, ThreadPoolExecutor(16) as pool:

        def ask(number: int) -> str:
            board = fleet.boards[number % 64]
            with connected(fleet, board) as client:
                return run(client, f"echo {number}; cat", b"!").out

        assert list(pool.map(ask, range(256))) == [f"{number}\n!" for number in range(256)]


def test_options_must_be_as_many_as_boards(tmp_path: Path) -> None:
    """A list of options of another length is a mistake of the caller."""
    with pytest.raises(ValueError, match="2 boards"):
        VirtualFleet(2, tmp_path, [BoardOptions()])


def test_a_broken_handshake_harms_nobody(tmp_path: Path) -> None:
    """A port scanner gets its end; the board goes on."""
    with VirtualFleet(1, tmp_path, FAST) as fleet:
        board = fleet.boards[0]
        with socket.create_connection(("127.0.0.1", board.port), timeout=20) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with pytest.raises(paramiko.SSHException), paramiko.SSHClient() as stranger:
            stranger.connect("127.0.0.1", board.port, "nvidia", key_filename=str(fleet.key))
        with connected(fleet, board) as client:
            assert run(client, "true").status == 0
